// A confusion matrix: first column of the data on x, second on y from below, as Kubeflow Pipelines draws it since 1.8.
// A cell says its number; its shade is a second channel, not the only one.
import { useState } from "react";
import type { ConfusionMatrixView } from "../../../api";
import { significant } from "../../../shared/format";

export function Matrix({ view }: { view: ConfusionMatrixView }) {
  const [percent, setPercent] = useState(false);
  const { labels, matrix } = view;
  const sums = matrix.map((row) => row.reduce((sum, n) => sum + n, 0));
  const most = Math.max(1, ...matrix.flat());
  const rows = labels.map((_, i) => labels.length - 1 - i);
  const x = view.target_name || "target";
  const y = view.predicted_name || "predicted";
  return (
    <div className="matrix">
      <div className="switch" role="group" aria-label="Numbers">
        <button type="button" aria-pressed={!percent} onClick={() => setPercent(false)}>Counts</button>
        <button type="button" aria-pressed={percent} onClick={() => setPercent(true)}>Percent of {x}</button>
      </div>
      <div className="matrix-frame">
        <span className="axis-y">{y}</span>
        <div className="matrix-grid" style={{ gridTemplateColumns: `auto repeat(${labels.length}, minmax(44px, 88px))` }} role="table" aria-label={`${y} by ${x}`}>
          {rows.map((predicted) => (
            <div key={predicted} role="row" className="contents">
              <span role="rowheader" className="matrix-label">{labels[predicted]}</span>
              {labels.map((label, target) => {
                const count = matrix[target]?.[predicted] ?? 0;
                const share = sums[target] ? count / sums[target] : 0;
                const depth = percent ? share : count / most;
                return (
                  <span key={target} role="cell" className="cell" title={`${x} ${label}, ${y} ${labels[predicted]}: ${count}, ${significant(100 * share)} % of ${x} ${label}`} style={{ background: `color-mix(in srgb, var(--heat) ${Math.round(depth * 100)}%, var(--ground))` }}>
                    {percent ? `${significant(Number((100 * share).toPrecision(3)))} %` : count}
                  </span>
                );
              })}
            </div>
          ))}
          <div role="row" className="contents">
            <span role="cell" />
            {labels.map((label, i) => <span key={i} role="columnheader" className="matrix-label below">{label}</span>)}
          </div>
        </div>
        <span className="axis-x">{x}</span>
      </div>
    </div>
  );
}
