import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createRoot } from "react-dom/client";
import { ApiError } from "../shared/http";
import "../shared/tokens.css";
import "../shared/base.css";
import { App } from "./App";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 1000,
      // The server is often this very machine, which answers without a network too.
      networkMode: "always",
      // A refusal stays a refusal; only silence is worth a second question.
      retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 502),
    },
  },
});

createRoot(document.getElementById("app")!).render(
  <QueryClientProvider client={client}>
    <App />
  </QueryClientProvider>,
);
