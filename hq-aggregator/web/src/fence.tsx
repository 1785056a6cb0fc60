// When a page breaks, the rest stays: says so in a sentence, and offers to load it anew. The cause goes to the console for whoever repairs it.
import { Component } from "react";
import type { ReactNode } from "react";

import { Button, Notice } from "@backroom/protocol";

export class Fence extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError(): { broken: boolean } {
    return { broken: true };
  }

  override render(): ReactNode {
    if (!this.state.broken) return this.props.children;
    return (
      <>
        <h1 className="mb-6 text-2xl font-semibold">This page broke</h1>
        <Notice tone="bad" action={<Button onClick={() => location.reload()}>Load it again</Button>}>
          Something unexpected happened while showing it. Nothing was changed at head office or in the shops.
        </Notice>
      </>
    );
  }
}
