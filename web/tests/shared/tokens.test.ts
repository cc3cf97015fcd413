// Text can be read and marks can be seen, in light and in dark: measured on the tokens themselves.
import { expect, test } from "vitest";
import css from "../../src/shared/tokens.css?raw";

const TOKENS = new Map([...css.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name = "", light = "", dark = ""]) => [name, { light, dark }]));

const channel = (v: number) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const luminance = (hex: string) => {
  const [r, g, b] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255)) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

function contrast(one: string, other: string, theme: "light" | "dark"): number {
  const [a, b] = [one, other].map((name) => luminance(TOKENS.get(name)![theme])).sort((x, y) => y - x) as [number, number];
  return (a + 0.05) / (b + 0.05);
}

const THEMES = ["light", "dark"] as const;
const each = (texts: string[], grounds: string[]) => THEMES.flatMap((theme) => texts.flatMap((text) => grounds.map((ground) => [theme, text, ground] as const)));

test.each([
  ...each(["text", "muted", "accent"], ["ground", "raised", "accent-soft"]),
  ...each(["text"], ["heat"]),
  ...each(["text", "failed"], ["failed-soft"]),
  ...each(["text", "error"], ["error-soft"]),
  ...each(["text", "running"], ["running-soft"]),
  ...each(["text", "succeeded"], ["succeeded-soft"]),
  ...each(["on-accent"], ["accent"]),
  ...each(["succeeded", "running", "failed", "error"], ["ground", "raised"]),
])("%s: %s can be read on %s", (theme, text, ground) => expect(contrast(text, ground, theme)).toBeGreaterThanOrEqual(4.5));

test.each(each(["faint", "chart-1", "chart-2", "chart-3", "chart-4"], ["ground", "raised"]))("%s: a mark in %s can be seen on %s", (theme, mark, ground) => expect(contrast(mark, ground, theme)).toBeGreaterThanOrEqual(3));
