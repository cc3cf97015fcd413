import type { View } from "../../../api";

export function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

/** The data behind a view, where it is a table of some sort. */
export function asCsv(view: View): string | undefined {
  if (view.kind === "table") return rows([view.header, ...view.rows]);
  if (view.kind === "roc") return rows([["fpr", "tpr", "threshold"], ...view.points.map((point) => point.map((v) => (v === null ? "inf" : String(v))))]);
  if (view.kind !== "confusion_matrix") return undefined;
  const cells = view.matrix.flatMap((row, i) => row.map((count, j) => [view.labels[i] ?? "", view.labels[j] ?? "", String(count)]));
  return rows([[view.target_name || "target", view.predicted_name || "predicted", "count"], ...cells]);
}

const rows = (all: string[][]) => all.map((row) => row.map(cell).join(",")).join("\n") + "\n";
const cell = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A drawing with the colours that it has on screen. */
export function saveDrawing(name: string, svg: SVGElement | null | undefined): void {
  if (!svg) return;
  const copy = svg.cloneNode(true) as SVGElement;
  const parts = svg.querySelectorAll<SVGElement>("*");
  copy.querySelectorAll<SVGElement>("*").forEach((part, i) => {
    const look = getComputedStyle(parts[i]!);
    for (const property of ["fill", "stroke", "stroke-width", "stroke-dasharray", "opacity", "font-family", "font-size"]) part.style.setProperty(property, look.getPropertyValue(property));
  });
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  save(name, "image/svg+xml", copy.outerHTML);
}
