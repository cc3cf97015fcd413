import { Command } from "../shared/parts";
import { useTitle } from "../shared/hooks";

/** What stands here instead of a form: access comes with a link that works once. */
export function Login() {
  useTitle("Open the link from the terminal");
  return (
    <main className="login">
      <img src="/icon.svg" alt="" width="40" height="40" />
      <h1>Open the link that `penstock up` printed</h1>
      <p>
        This browser has not been let in yet. When Penstock starts, it prints a link that opens this page and works once.
        Start it again to get a new link:
      </p>
      <Command lines="penstock up" label="The command that prints a link" />
    </main>
  );
}
