/** Links in the result of a job: only those that cannot run anything. */

import { isObject } from "../client/model.ts";

export interface Link {
  title: string | undefined;
  url: string;
}

/** `{"url": …}`, `{"links": [{"title", "url"}]}` or both; anything else has no links. */
export function resultLinks(result: unknown): Link[] {
  if (!isObject(result)) return [];
  const links: Link[] = [];
  const add = (url: unknown, title: unknown) => {
    if (typeof url !== "string" || !isSafe(url)) return;
    links.push({ url, title: typeof title === "string" && title ? title : undefined });
  };
  add(result.url, result.title);
  if (Array.isArray(result.links)) {
    for (const link of result.links) {
      if (isObject(link)) add(link.url, link.title);
    }
  }
  return links;
}

/** http, https, or relative to the page; no other scheme, and none that a browser would read into odd white space. */
export function isSafe(url: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: browsers drop them, so "java\tscript:" would pass for a path
  if (/[\u0000-\u0020\u007f]/.test(url)) return false;
  if (/^https?:\/\//i.test(url)) return true;
  // A colon before the first slash is a scheme; two slashes lead to another host.
  return url !== "" && !/^[^/?#]*:/.test(url) && !/^[/\\]{2}/.test(url);
}
