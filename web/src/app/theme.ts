import { useEffect } from "react";
import { useStored } from "../shared/hooks";

const THEMES = ["system", "light", "dark"] as const;

export const nextTheme = (theme: string) => THEMES[(THEMES.indexOf(theme as "system") + 1) % THEMES.length] ?? "system";

/** The theme that the reader chose; `theme.js` applies it before the first paint. */
export function useTheme(): [string, (theme: string) => void] {
  const [theme, setTheme] = useStored("penstock.theme", "system");
  useEffect(() => {
    if (theme === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, setTheme];
}
