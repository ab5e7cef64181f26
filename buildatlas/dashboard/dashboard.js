// The page: it reads the address, and both halves show what that says.

import { showPackage, watchSearch } from "./catalogue.js";
import { ask, counted } from "./dom.js";
import { place } from "./place.js";
import { clearOldAnswer, showRequirements, solve, watchForm } from "./resolve.js";

const server = document.querySelector("#server");
let shown = null;

async function showServer() {
  try {
    const data = await ask("query Server { server { version packages versions dependencies database } }");
    const { packages, versions, dependencies, version, database } = data.server;
    server.textContent = packages === 0
      ? "The catalogue is empty. Fill it: buildatlas import FILE"
      : `${counted(packages, "package")}, ${counted(versions, "version")}, ${dependencies.toLocaleString("en")} dependencies`;
    server.title = `Buildatlas ${version} on ${database}`;
  } catch (error) {
    server.textContent = error.message;
  }
}

function show() {
  showRequirements();
  clearOldAnswer();
  if (place().package === shown) return;
  shown = place().package;
  showPackage();
}

watchSearch();
watchForm();
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // The address is ours: following the link would forget the requirements.
  document.querySelector("#resolve-heading").focus();
});
addEventListener("hashchange", show);
showServer();
showRequirements();
shown = place().package;
showPackage();
// A link that holds requirements opens with their answer.
if (place().requirements.length) solve();
