import { useEffect, useRef } from "react";

const KEYS: [string, string][] = [
  ["g r, g p, g e", "Runs, pipelines, experiments"],
  ["j, k", "Next and previous row or step"],
  ["Enter", "Open"],
  ["Esc", "Close the panel"],
  ["/", "Search"],
  ["Space", "Select a run"],
  ["[, ]", "Previous and next tab"],
  ["0", "Fit the graph"],
  ["n", "Next failed step, or next match in a log"],
  ["f", "Follow the log"],
  ["?", "These keys"],
];

export function Keys({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="keys-title">
      <h2 id="keys-title">Keys</h2>
      <table className="keys">
        <tbody>
          {KEYS.map(([key, what]) => (
            <tr key={key}>
              <th scope="row">
                <kbd>{key}</kbd>
              </th>
              <td>{what}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <div className="actions">
        <button type="button" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
    </dialog>
  );
}
