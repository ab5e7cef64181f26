import { defineConfig } from "vite";

export default defineConfig({
  // Wherever the server is mounted.
  base: "./",
  build: {
    assetsInlineLimit: 0,
    // The editor of the IDE, which is fetched by who opens it.
    chunkSizeWarningLimit: 2_000,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: ["index.html", "graphql.html"],
      onLog: (level, log, handle) => {
        // "use client" and the like are for frameworks that the IDE's parts may also be used in.
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
    target: ["chrome115", "firefox121", "safari17"],
  },
  clearScreen: false,
  logLevel: "warn",
});
