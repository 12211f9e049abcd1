export function start({ openStudio }, { url, token }, show, button) {
  const studio = openStudio(
    url,
    () => token,
    (cards) =>
      show(
        cards
          .map(({ formData, error, ended, progress }) => `${formData.prompt}: ${error ?? ended ?? `${progress} %`}`)
          .join("\n") || "no cards",
      ),
    show,
  );
  button("Draw", () => studio.submit({ prompt: "a red fox" }));
}
