// How a step was started and how it ended.
import type { Node } from "../../../api";
import { useDocument } from "../../../shared/data";
import { fullTime } from "../../../shared/format";
import { Facts } from "../../../shared/parts";
import { markOf, WORDS } from "../../../shared/state";

interface Container { image?: string; command?: string[]; args?: string[]; source?: string; env?: { name: string; value?: string }[] }
interface Template { name?: string; container?: Container; script?: Container }

export function Details({ run, node }: { run: string; node: Node }) {
  const found = useDocument(run);
  const container = template(found.data, node.templateName);
  const code = (text: string | undefined) => text && <code>{text}</code>;
  return (
    <div className="panel-body">
      <Facts
        rows={[
          ["State", WORDS[markOf(node.phase)]],
          ["Message", node.message],
          ["Exit code", node.outputs?.exitCode],
          ["Started", node.startedAt && fullTime(node.startedAt)],
          ["Finished", node.finishedAt && fullTime(node.finishedAt)],
          ["Image", code(container?.image)],
          ["Command", container?.command?.length ? <Words words={container.command} /> : undefined],
          ["Arguments", container?.args?.length ? <Words words={container.args} /> : undefined],
          ["Script", container?.source && <pre className="words" tabIndex={0}>{container.source}</pre>],
          ["Environment", container?.env?.length ? <Words words={container.env.map((e) => `${e.name}=${e.value ?? "…"}`)} /> : undefined],
          ["Template", code(node.templateName)],
          ["Type", node.type],
          ["Node", code(node.id)],
          ["Name", code(node.name)],
        ]}
      />
    </div>
  );
}

function template(document: Record<string, unknown> | undefined, name: string | undefined): Container | undefined {
  const spec = document?.spec as { templates?: Template[] } | undefined;
  const found = spec?.templates?.find((one) => one.name === name);
  return found?.container ?? found?.script;
}

/** One word a line; programs given inline keep their lines. */
function Words({ words }: { words: string[] }) {
  return <pre className="words" tabIndex={0}>{words.join("\n")}</pre>;
}
