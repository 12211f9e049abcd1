export function start({ openTasks }, { url, token, userId }, show, button) {
  const { loadHistory, clear } = openTasks(
    url,
    userId,
    () => token,
    (tasks) => show(tasks.map(({ name, status, progress }) => `${name}: ${status} ${progress} %`).join(", ") || "none"),
    show,
  );
  button("History", loadHistory);
  button("Clear", clear);
}
