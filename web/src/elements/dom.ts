/** Building and changing nodes. Text goes in as text, never as markup. */

import { type IconName, PATHS } from "../present/icons.ts";

export function node<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  ...children: Node[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...children);
  return element;
}

/** Show `text`, or hide the node when there is none. Touches the page only when something changed. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
  if (element.hidden !== (text === "")) element.hidden = text === "";
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A button that only has an icon: `label` is its name, and what a pointer is told. */
export function iconButton(className: string, name: IconName, press: () => void): HTMLButtonElement {
  const button = node("button", `icon-button ${className}`, icon(name));
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}

export function textButton(className: string, press: () => void): HTMLButtonElement {
  const button = node("button", className);
  button.type = "button";
  button.addEventListener("click", press);
  return button;
}

export function label(element: HTMLElement, text: string, about = ""): void {
  if (element.title !== text) element.title = text;
  setAttribute(element, "aria-label", about ? `${text}: ${about}` : text);
}

const SVG = "http://www.w3.org/2000/svg";

function icon(name: IconName): SVGElement {
  const drawing = document.createElementNS(SVG, "svg");
  for (const [key, value] of [
    ["viewBox", "0 0 16 16"],
    ["width", "16"],
    ["height", "16"],
    ["aria-hidden", "true"],
  ]) {
    drawing.setAttribute(key as string, value as string);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawing.append(path);
  return drawing;
}
