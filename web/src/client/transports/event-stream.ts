/** `text/event-stream` as it arrives (WHATWG HTML §9.2.6), as much of it as our server sends. */

export class EventStream {
  #rest = "";
  #data: string[] = [];

  /** The `data` of each event that is complete with this piece; comments, ids and `retry` are not for us. */
  feed(piece: string): string[] {
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    // A carriage return at the end may be half of a line's end, and is looked at with what follows it.
    this.#rest = lines.pop() ?? "";
    const complete: string[] = [];
    for (const line of lines) {
      if (line.startsWith("data:")) this.#data.push(line.slice(line[5] === " " ? 6 : 5));
      else if (line === "" && this.#data.length > 0) complete.push(this.#data.splice(0).join("\n"));
    }
    return complete;
  }
}
