/**
 * Makes docs/report.png, the picture in the README, from the report of a real run: `npm run picture`.
 *
 *   npm run picture                               runs the demo, and takes the report of its failover
 *   npm run picture -- --report FILE.html         takes the report of a run that has ended
 *
 * CHROMIUM names the browser (default: /usr/bin/chromium).
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const root = join(import.meta.dirname, '..');
const picture = join(root, 'docs', 'report.png');
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const width = 1200;
/** Of the picture to the page: as large as a README shows it. */
const deviceScaleFactor = 0.9;
const mostHeight = 1500;
const mostBytes = 200_000;

const { values } = parseArgs({ options: { report: { type: 'string' } } });
if (!existsSync(executablePath))
  throw new Error(`there is no browser at "${executablePath}": set CHROMIUM to the path of one`);
const report = values.report === undefined ? reportOfDemo() : resolve(values.report);
if (!existsSync(report)) throw new Error(`there is no report at "${report}"`);
await photograph(report);
const { size } = statSync(picture);
if (size > mostBytes)
  throw new Error(`"${picture}" has ${size} bytes, more than ${mostBytes}: the README loads slowly`);
console.log(`${picture}: ${Math.round(size / 1000)} kB, from ${report}`);

/** Runs the demo, and returns the path of the report of its failover. */
function reportOfDemo(): string {
  const folder = join(root, '.understudy', 'picture');
  const demo = join(root, 'examples', 'demo.ts');
  const { status } = spawnSync(process.execPath, [demo, '--folder', folder], { cwd: root, stdio: 'inherit' });
  if (status !== 0) throw new Error(`the demo ended with ${status}: its output says why`);
  const [run] = readdirSync(join(folder, 'reports'))
    .filter((each) => each.includes('failover'))
    .toSorted()
    .toReversed();
  if (run === undefined) throw new Error(`the demo has left no report of a failover in "${folder}"`);
  return join(folder, 'reports', run, 'report.html');
}

/** From the title to the end of what people must do. */
async function photograph(file: string): Promise<void> {
  // Grey letters compress better than those with coloured edges.
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-lcd-text'];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      deviceScaleFactor,
      colorScheme: 'light',
    });
    await page.goto(pathToFileURL(file).href);
    const end = await page.evaluate<number>(
      `Math.max(...[...document.querySelectorAll('header, .notice.bad')].map((each) => each.getBoundingClientRect().bottom))`,
    );
    const height = Math.min(mostHeight, Math.ceil(end) + 14);
    await page.screenshot({ path: picture, fullPage: true, clip: { x: 0, y: 0, width, height } });
  } finally {
    await browser.close();
  }
}
