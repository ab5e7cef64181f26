// The dashboard: a frame with the navigation, and the page that the address names.

import "./styles/base.css";
import "./styles/frame.css";
import { render } from "preact";
import { isLocked } from "./api/ask.ts";
import { learnViewer } from "./api/session.ts";
import { Frame } from "./Frame.tsx";
import { Routed } from "./Routed.tsx";
import { SignIn } from "./pages/session/SignIn.tsx";

function App() {
  return <Frame>{isLocked.value ? <SignIn /> : <Routed />}</Frame>;
}

void learnViewer();
render(<App />, document.getElementById("app")!);
