export function start({ openJobs }, { url, token, projects }, show, button) {
  const stop = openJobs(
    url,
    () => token,
    projects,
    (jobs) =>
      show(
        jobs
          .map(({ chapterId, state, error, progress }) =>
            `${chapterId}: ${error ?? (state === "complete" ? "complete" : `${progress.percentage} %`)}`)
          .join(", "),
      ),
    show,
  );
  button("Leave", stop);
}
