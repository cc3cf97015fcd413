export interface Order { column: number; down: boolean }

/** Rows in the order of one column: numbers by size, texts by alphabet, nothing last; equal ones stay as they were. */
export function sorted(rows: string[][], order: Order | undefined): string[][] {
  if (!order) return rows;
  const sign = order.down ? -1 : 1;
  return [...rows].sort((a, b) => sign * compare(a[order.column] ?? "", b[order.column] ?? ""));
}

function compare(a: string, b: string): number {
  if (!a || !b) return a ? -1 : b ? 1 : 0;
  const [x, y] = [number(a), number(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (x !== undefined) return -1;
  return y !== undefined ? 1 : a.localeCompare(b, undefined, { numeric: true });
}

const number = (text: string) => (text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : undefined);
