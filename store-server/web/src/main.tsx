// Starts the pages of the box. Owns nothing but the order: colours before the first picture, then the page that was asked for.
import { lazy, StrictMode, Suspense } from "react";
import { createRoot } from "react-dom/client";

import { applyTheme, rememberedTheme, Shortcuts, Toasts, useAddress, Waiting } from "@backroom/protocol";

import "./box.css";
import { RegisterPage } from "./register/page.tsx";

// A till loads the till; who counts or looks after the box loads the rest.
const ClerkPage = lazy(() => import("./clerk/page.tsx"));
const ConsolePage = lazy(() => import("./console/page.tsx"));

function Page() {
  const { pathname } = useAddress();
  if (pathname.startsWith("/clerk")) return <ClerkPage />;
  if (pathname.startsWith("/console")) return <ConsolePage />;
  return <RegisterPage />;
}

applyTheme(rememberedTheme());
const page = document.getElementById("page");
if (page !== null) {
  createRoot(page).render(
    <StrictMode>
      <Toasts>
        <Shortcuts>
          <Suspense fallback={<Waiting what="Opening the page" />}>
            <Page />
          </Suspense>
        </Shortcuts>
      </Toasts>
    </StrictMode>,
  );
}
