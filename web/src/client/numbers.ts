/** Small numbers for subscriptions, the same on every page: clients with equal ids share encoded bytes (`spec/wire.md` §3). */
export class Numbers {
  readonly #taken = new Set<number>();

  take(): number {
    let number = 1;
    while (this.#taken.has(number)) number += 1;
    this.#taken.add(number);
    return number;
  }

  giveBack(number: number): void {
    this.#taken.delete(number);
  }
}
