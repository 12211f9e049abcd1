export function start({ followTask }, { url, token, id }, show, button) {
  const stop = followTask(
    url,
    () => token,
    id,
    ({ status, progress_percentage }) => show(`${status} ${progress_percentage} %`),
    (message) => show(message),
  );
  button("Leave", stop);
}
