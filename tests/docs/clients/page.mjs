// Runs a plain client in a page; its options are in the address.
export function show(client, start) {
  const said = document.createElement("pre");
  document.body.append(said);
  start(
    client,
    JSON.parse(decodeURIComponent(location.hash.slice(1))),
    (text) => {
      said.textContent = text;
    },
    (name, press) => {
      const button = document.createElement("button");
      button.textContent = name;
      button.onclick = press;
      document.body.append(button);
    },
  );
}
