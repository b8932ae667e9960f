// Opens a page in headless Chromium and prints, as JSON, what it asked for, what went wrong in it, and what it shows.
// node browse.mjs CHROMIUM PROFILE URL [SCREENSHOT] [STEP]...   a step is an expression; its value is kept.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";

const [chromium, profile, url, screenshot, ...steps] = process.argv.slice(2);
const browser = spawn(chromium, [
  "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,1000",
  `--user-data-dir=${profile}`, "--remote-debugging-port=0",
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", "about:blank",
]);
const port = await new Promise((resolve, reject) => {
  let said = "";
  browser.stderr.on("data", (data) => {
    said += data;
    const found = said.match(/DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/);
    if (found) resolve(found[1]);
  });
  browser.on("exit", () => reject(new Error(said)));
});
let page;  // the browser listens before it has opened its first page
while (!(page = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()).find(({ type }) => type === "page"))) {
  await new Promise((done) => { setTimeout(done, 50); });
}
const socket = new WebSocket(page.webSocketDebuggerUrl);
await new Promise((resolve) => { socket.onopen = resolve; });

const waiting = new Map();
const seen = { requests: [], errors: [], dialogs: 0, values: [] };
let loaded;
const loading = new Promise((resolve) => { loaded = resolve; });
let number = 0;
const send = (method, params = {}) => new Promise((resolve) => {
  waiting.set(++number, resolve);
  socket.send(JSON.stringify({ id: number, method, params }));
});
socket.onmessage = ({ data }) => {
  const { id, method, params, result } = JSON.parse(data);
  if (id) waiting.get(id)(result);
  if (method === "Network.requestWillBeSent") seen.requests.push(params.request.url.slice(0, 200));
  if (method === "Runtime.exceptionThrown") seen.errors.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
  if (method === "Log.entryAdded") seen.errors.push(`${params.entry.text} ${params.entry.url ?? ""}`);
  if (method === "Page.javascriptDialogOpening") { seen.dialogs += 1; send("Page.handleJavaScriptDialog", { accept: false }); }
  if (method === "Page.loadEventFired") loaded();
};
for (const domain of ["Network", "Runtime", "Log", "Page"]) await send(`${domain}.enable`);
await send("Page.navigate", { url });
await loading;
const evaluate = async (expression) =>
  (await send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true })).result?.value;
// Allure draws itself after loading: wait until it has, up to 20 s.
await evaluate(`new Promise((done) => {
  const until = Date.now() + 20000;
  const look = () => (document.querySelector("#app")?.innerText.length > 100 || Date.now() > until) ? done() : setTimeout(look, 50);
  look();
})`);
for (const step of steps) seen.values.push((await evaluate(step)) ?? null);
if (screenshot) {
  const { data } = await send("Page.captureScreenshot", { format: "png" });
  writeFileSync(screenshot, Buffer.from(data, "base64"));
}
seen.title = await evaluate("document.title");
seen.first = await evaluate("document.getElementById('seatrial')?.innerText ?? ''");
console.log(JSON.stringify(seen));
socket.close();
browser.kill();
process.exit(0);
