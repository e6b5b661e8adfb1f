/**
 * A report, opened as its readers open it: a file, in Chromium, on a desk and on a phone. CHROMIUM names the browser
 * (default /usr/bin/chromium); without one the tests are skipped, but not in CI.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { renderHtml } from '../../src/report/html/html.ts';
import { buildReport } from '../../src/report/report.ts';
import { exampleInput } from '../report/example-run.ts';

const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const missing = !existsSync(executablePath) && !process.env.CI;
if (missing) process.stderr.write(`no browser at ${executablePath}: the report is not opened in one\n`);

const args = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const sizes = [
  { device: 'desktop', width: 1280, height: 800 },
  { device: 'phone', width: 390, height: 844 },
];

interface Box {
  name: string;
  left: number;
  right: number;
}

interface Focused {
  tag: string;
  href: string | null;
  outline: string;
  onScreen: boolean;
}

describe.skipIf(missing)('a report in a browser', () => {
  let folder: string;
  let browser: Browser;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'understudy-report-'));
    await writeFile(join(folder, 'report.html'), renderHtml(buildReport(exampleInput())));
    browser = await chromium.launch({ executablePath, args });
  });

  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe.each(sizes)('$device ($width pixels wide)', ({ width, height }) => {
    let page: Page;
    let requests: string[];
    let complaints: string[];

    beforeEach(async () => {
      page = await browser.newPage({ viewport: { width, height } });
      requests = [];
      complaints = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => complaints.push(message.text()));
      await page.goto(pathToFileURL(join(folder, 'report.html')).href, { waitUntil: 'load' });
    });

    afterEach(() => page.close());

    test('asks nobody for anything, and complains of nothing', () => {
      expect(requests).toEqual([page.url()]);
      expect(complaints).toEqual([]);
    });

    test('scrolls down only, and nothing sticks out', async () => {
      const { wide, shown } = await page.evaluate<{ wide: number; shown: number }>(
        '({ wide: document.documentElement.scrollWidth, shown: document.documentElement.clientWidth })',
      );
      expect(wide).toBeLessThanOrEqual(shown);
      const boxes = await page.evaluate<Box[]>(`[...document.querySelectorAll('h1, h2, h3, p, section, table, svg')]
        .filter((each) => each.checkVisibility() && !each.closest('.visually-hidden, .skip'))
        .map((each) => ({ name: each.tagName, box: each.getBoundingClientRect() }))
        .map(({ name, box }) => ({ name, left: box.left, right: box.right }))`);
      expect(boxes.length).toBeGreaterThan(10);
      expect(boxes.filter(({ left, right }) => left < 0 || right > width + 0.5)).toEqual([]);
    });

    test('has a timeline with whole labels, and markers and figures that can be told apart', async () => {
      const { cutLabels, texts } = await page.evaluate<{
        cutLabels: string[];
        texts: { text: string; left: number; right: number; top: number; bottom: number }[];
      }>(`(() => {
        const rowLabels = [...document.querySelectorAll('.gantt .label')];
        const boxOf = (each) => { const { left, right, top, bottom } = each.getBoundingClientRect(); return { text: each.textContent.trim(), left, right, top, bottom }; };
        return {
          cutLabels: rowLabels.filter((each) => each.scrollWidth > each.clientWidth || each.textContent.includes('…')).map((each) => each.textContent),
          texts: [...document.querySelectorAll('.gantt text, .gantt .label')].map(boxOf).filter(({ text }) => text !== ''),
        };
      })()`);
      expect(cutLabels).toEqual([]);
      expect(texts.length).toBeGreaterThan(30);
      const collisions = texts.flatMap((one, index) =>
        texts
          .slice(index + 1)
          .filter(
            (other) =>
              Math.min(one.right, other.right) - Math.max(one.left, other.left) > 1 &&
              Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3,
          )
          .map((other) => [one.text, other.text]),
      );
      expect(collisions).toEqual([]);
    });

    test('is read by headings: one first, none skipped, all shown', async () => {
      const levels = await page.evaluate<number[]>(
        `[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))`,
      );
      expect(levels[0]).toBe(1);
      expect(levels.filter((level) => level === 1)).toHaveLength(1);
      expect(levels.length).toBeGreaterThan(4);
      for (const [index, level] of levels.entries()) {
        expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
      }
    });

    test('every table says what it is, to all readers', async () => {
      const names = await page.evaluate<string[]>(
        `[...document.querySelectorAll('table')].map((each) => (each.caption?.textContent ?? '').trim())`,
      );
      expect(names.length).toBeGreaterThan(2);
      expect(names.filter((name) => name === '')).toEqual([]);
      expect(await page.getByRole('table').count()).toBe(names.length);
    });

    test('is walked by keyboard: where the focus is can be seen', async () => {
      const walked: Focused[] = [];
      for (;;) {
        await page.keyboard.press('Tab');
        const focused = await page.evaluate<Focused | null>(`(() => {
          const each = document.activeElement;
          if (each === null || each === document.body) return null;
          const box = each.getBoundingClientRect();
          const onScreen = box.width > 0 && box.left >= 0 && box.top >= 0 && box.bottom <= innerHeight + 1;
          return { tag: each.tagName, href: each.getAttribute('href'), outline: getComputedStyle(each).outlineStyle, onScreen };
        })()`);
        if (focused === null || walked.length > 200) break;
        walked.push(focused);
      }
      const reachable = await page.evaluate<number>(
        `[...document.querySelectorAll('a[href], summary, [tabindex="0"]')].filter((each) => each.checkVisibility()).length`,
      );
      expect(walked.length).toBeGreaterThan(0);
      expect(walked).toHaveLength(reachable);
      // The first stop skips what stands before the report.
      expect(await page.locator(walked[0]?.href ?? '').getAttribute('id')).toBe('report');
      expect(await page.locator('main').getAttribute('id')).toBe('report');
      expect(walked.filter(({ outline }) => outline === 'none')).toEqual([]);
      expect(walked.filter(({ onScreen }) => !onScreen)).toEqual([]);
    });
  });
});
