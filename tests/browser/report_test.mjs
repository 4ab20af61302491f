// Opens reports in a real Chromium: nothing that axe finds, no scroll to the side on a telephone, the copy button by
// keyboard, one printed page of A4.
//
//   node report_test.mjs CHROMIUM AXE REPORT.html…      exit 1 and a line for everything that is wrong
import { chromium } from "playwright-core";

const [, , executablePath, axe, ...reports] = process.argv;
const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath, args: QUIET });
const problems = [];

/// Does `look` on the page as it is on a screen of this width.
async function onScreen(report, settings, look) {
  const context = await browser.newContext({ bypassCSP: true, ...settings });
  const page = await context.newPage();
  const say = (text) => problems.push(`${report}, ${settings.viewport.width} px, ${settings.colorScheme}: ${text}`);
  page.on("pageerror", (error) => say(`the script fails: ${error}`));
  await page.goto(`file://${report}`);
  await page.waitForFunction(() => document.querySelector("#points tbody tr"));
  await look(page, say);
  await context.close();
}

async function checkAccess(page, say) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (over > 0) say(`${over} px scroll to the side`);
  await page.addScriptTag({ path: axe });
  const { violations } = await page.evaluate(() => window.axe.run());
  for (const { id, nodes } of violations) say(`axe: ${id}, ${nodes.map((node) => node.target.join(" ")).join(", ")}`);
}

/// A run's own report says in short what to do; its command can be copied without a mouse.
async function checkAnswer(page, say) {
  if (await page.evaluate(() => document.getElementById("answer").hidden)) return;
  const command = await page.textContent("#answer-command");
  if (!/^regroup convert \S+ --grouping groupings\/\S+\.json -o \S+$/.test(command)) say(`no command: ${command}`);
  for (let presses = 0; presses < 20; ++presses) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement.id === "answer-copy")) break;
  }
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.getElementById("answer-copied").textContent, null, { timeout: 3000 })
    .catch(() => say("Tab and Enter do not copy the command"));
}

async function checkPrint(page, say) {
  const pdf = (await page.pdf({ format: "A4" })).toString("latin1");
  const pages = (pdf.match(/\/Type\s*\/Page\b/g) || []).length;
  if (pages !== 1) say(`${pages} printed pages`);
}

for (const report of reports) {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [360, 1280]) {
      await onScreen(report, { colorScheme, viewport: { width, height: 900 } }, checkAccess);
    }
  }
  const settings = { colorScheme: "light", viewport: { width: 1280, height: 900 }, permissions: ["clipboard-write"] };
  await onScreen(report, settings, checkAnswer);
  await onScreen(report, settings, checkPrint);
}
await browser.close();
problems.forEach((problem) => console.log(problem));
console.log(`browser: ${reports.length} reports looked at, ${problems.length} faults`);
process.exit(problems.length > 0 ? 1 : 0);
