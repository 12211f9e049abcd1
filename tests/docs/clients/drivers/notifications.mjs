export function start({ openInbox, followTask, streamTask }, { url, token, task, stream }, show, button) {
  const changed = ({ type, error, progress }) => show(`${type} ${error ?? `${progress} %`}`);
  if (task) {
    if (stream) streamTask(url, token, task, changed);
    else followTask(url, () => token, task, changed, show);
    return;
  }
  let first;
  const { read, readAll } = openInbox(
    url,
    () => token,
    ({ items, unread }) => {
      first = items[0]?.id;
      show([`${unread} unread`, ...items.map(({ title, status }) => `${title} (${status})`)].join(", "));
    },
    show,
  );
  button("Read", () => read(first));
  button("Read all", readAll);
}
