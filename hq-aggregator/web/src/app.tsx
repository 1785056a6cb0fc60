// Which page of the portal is shown.
import { Empty } from "@backroom/protocol";

export function App() {
  return (
    <main>
      <h1 className="heard-only">Backroom head office</h1>
      <Empty title="Nothing to see yet" />
    </main>
  );
}
