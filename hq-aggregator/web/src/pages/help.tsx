// What is shown at an address of the portal that has no page.
import { Card, Empty, Link } from "@backroom/protocol";

import { Head } from "../parts.tsx";

export function HelpPage() {
  return (
    <>
      <Head title="There is no such page" />
      <Card>
        <Empty title="The address leads nowhere">
          <Link href="/" className="text-accent underline">
            Go to Today
          </Link>
        </Empty>
      </Card>
    </>
  );
}
