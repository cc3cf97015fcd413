import type { ErrorView } from "../../../api";
import { Facts } from "../../../shared/parts";

/** What was read, what was expected, and what is wrong: for the one who wrote the step. */
export function BadOutput({ view }: { view: ErrorView }) {
  return (
    <div className="bad-output">
      <p>{view.message}</p>
      <Facts rows={[["Read", view.output && <pre className="words" tabIndex={0}>{view.output}</pre>], ["Expected", view.expected && <code>{view.expected}</code>]]} />
    </div>
  );
}
