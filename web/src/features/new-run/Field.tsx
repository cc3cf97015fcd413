import { useState } from "react";
import type { InputSpec } from "../../api";
import { choices, kindOf, required, wrong } from "./fields";

interface Props { input: InputSpec; value: string; shown: boolean; onChange: (value: string) => void }

/** One input of the pipeline. What is wrong is said beside it once it was left (or when the form was sent). */
export function Field({ input, value, shown, onChange }: Props) {
  const [left, setLeft] = useState(false);
  const kind = kindOf(input);
  const problem = left || shown ? wrong(input, value) : "";
  const id = `input-${input.name}`;
  const common = {
    id,
    value,
    required: required(input),
    "aria-invalid": problem ? true : undefined,
    "aria-describedby": `${id}-about`,
    onBlur: () => setLeft(true),
  };
  const changed = input.default !== undefined && input.default !== null && value !== input.default;
  return (
    <div className="field">
      <label htmlFor={id}>
        {input.name} <span className="muted">{input.type || "text"}{required(input) ? ", needed" : ""}</span>
      </label>
      {kind === "bool" ? (
        <select {...common} onChange={(event) => onChange(event.currentTarget.value)}>
          {choices(input, value).map((text) => <option key={text} value={text}>{text || (required(input) ? "choose" : "not given")}</option>)}
        </select>
      ) : kind === "list" || kind === "dict" ? (
        <textarea {...common} rows={Math.min(8, 2 + value.split("\n").length)} spellCheck={false} onChange={(event) => onChange(event.currentTarget.value)} />
      ) : (
        <input {...common} type="text" inputMode={kind === "integer" ? "numeric" : kind === "float" ? "decimal" : undefined} autoComplete="off" spellCheck={false} onChange={(event) => onChange(event.currentTarget.value)} />
      )}
      <p id={`${id}-about`} className="about">
        {problem ? <span className="wrong" role="alert">{problem}</span> : <span className="muted">{input.description}</span>}
        {changed && <button type="button" className="quiet reset" onClick={() => onChange(input.default ?? "")}>Reset to {input.default === "" ? "empty" : input.default}</button>}
      </p>
    </div>
  );
}
