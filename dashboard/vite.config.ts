import { defineConfig } from "vite";

export default defineConfig({
  // Wherever the server is mounted.
  base: "./",
  build: {
    assetsInlineLimit: 0,
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: ["index.html"] },
    target: ["chrome115", "firefox121", "safari17"],
  },
  clearScreen: false,
  logLevel: "warn",
});
