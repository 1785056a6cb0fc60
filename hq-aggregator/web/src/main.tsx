// Starts the portal. Owns nothing but the order: colours before the first picture, then the page.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { applyTheme, rememberedTheme, Shortcuts, Toasts } from "@backroom/protocol";

import "./portal.css";
import { App } from "./app.tsx";

applyTheme(rememberedTheme());
const page = document.getElementById("page");
if (page !== null) {
  createRoot(page).render(
    <StrictMode>
      <Toasts>
        <Shortcuts>
          <App />
        </Shortcuts>
      </Toasts>
    </StrictMode>,
  );
}
