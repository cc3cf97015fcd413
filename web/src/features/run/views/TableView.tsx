// A table that sorts numbers as numbers.
import { useMemo, useState } from "react";
import type { TableView as View } from "../../../api";
import { sorted, type Order } from "./sort";

const PAGE = 10;

export function TableView({ view }: { view: View }) {
  const [order, setOrder] = useState<Order>();
  const [page, setPage] = useState(0);
  const rows = useMemo(() => sorted(view.rows, order), [view.rows, order]);
  const pages = Math.ceil(rows.length / PAGE);
  const numeric = view.header.map((_, i) => view.rows.every((row) => row[i] === "" || Number.isFinite(Number(row[i]))));
  const sort = (column: number) => {
    setOrder({ column, down: order?.column === column && !order.down });
    setPage(0);
  };
  return (
    <>
      <div className="scroll" tabIndex={0} role="region" aria-label={view.title || "Table"}>
        <table className="table dense">
          <thead>
            <tr>
              {view.header.map((name, i) => (
                <th key={i} className={numeric[i] ? "number" : ""} aria-sort={order?.column === i ? (order.down ? "descending" : "ascending") : undefined}>
                  <button type="button" className="plain" onClick={() => sort(i)}>{name}<span aria-hidden="true" className="sorted">{order?.column === i ? (order.down ? "↓" : "↑") : ""}</span></button>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.slice(page * PAGE, page * PAGE + PAGE).map((row, r) => (
              <tr key={r}>{view.header.map((_, i) => <td key={i} className={numeric[i] ? "number" : ""} title={row[i]}>{row[i]}</td>)}</tr>
            ))}
          </tbody>
        </table>
      </div>
      {(pages > 1 || view.truncated) && (
        <div className="actions pager">
          <button type="button" className="quiet" disabled={page === 0} onClick={() => setPage(page - 1)}>Previous</button>
          <span className="muted">{page * PAGE + 1}–{Math.min(rows.length, page * PAGE + PAGE)} of {rows.length}{view.truncated ? ` shown, ${view.total ?? "more"} in all` : ""}</span>
          <button type="button" className="quiet" disabled={page >= pages - 1} onClick={() => setPage(page + 1)}>Next</button>
        </div>
      )}
    </>
  );
}
