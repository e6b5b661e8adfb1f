import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../src/report/html/html.ts';
import { style } from '../../src/report/html/style.ts';
import { html } from '../../src/report/html/markup.ts';
import { buildReport, type ReportInput } from '../../src/report/report.ts';
import { configsEvidence, exampleInput } from './example-run.ts';
import { elementsOf } from './well-formed.ts';

function page(change: (input: ReportInput) => void = () => undefined) {
  const input = exampleInput();
  change(input);
  const text = renderHtml(buildReport(input));
  return { text, elements: elementsOf(text) };
}

describe('the HTML report', () => {
  it('is well formed, with one main, one first heading and headings in order', () => {
    const { elements } = page();
    expect(elements.filter((each) => each.name === 'main')).toHaveLength(1);
    const levels = elements.filter((each) => /^h[1-6]$/.test(each.name)).map((each) => Number(each.name[1]));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[index - 1] ?? 0) + 1);
  });

  it('needs nothing from anywhere and runs nothing', () => {
    const { elements } = page();
    const named = new Set(elements.map((each) => each.name));
    for (const name of ['script', 'link', 'img', 'iframe', 'object', 'base', 'form']) expect(named).not.toContain(name);
    for (const { attributes } of elements) {
      for (const key of attributes.keys()) expect(key).not.toMatch(/^on|^src$/);
      expect(attributes.get('href') ?? '#').toMatch(/^#/);
    }
    expect(style).not.toMatch(/@import|url\((?!#)/);
    const policy = elements.find((each) => each.attributes.get('http-equiv') === 'Content-Security-Policy');
    expect(policy?.attributes.get('content')).toContain("default-src 'none'");
  });

  it('fits a phone, paper and the dark', () => {
    const { elements } = page();
    const viewport = elements.find((each) => each.attributes.get('name') === 'viewport');
    expect(viewport?.attributes.get('content')).toContain('width=device-width');
    expect(style).toContain('@media print');
    expect(style).toContain('prefers-color-scheme: dark');
  });

  it('has a caption on every table, a scope on every header and a label on every cell', () => {
    const { elements } = page();
    const count = (name: string) => elements.filter((each) => each.name === name).length;
    expect(count('table')).toBeGreaterThan(5);
    expect(count('caption')).toBe(count('table'));
    for (const each of elements) {
      if (each.name === 'th') expect(each.attributes.get('scope')).toMatch(/^(col|row|rowgroup)$/);
      if (each.name === 'td') expect(each.attributes.get('data-label')).toBeTruthy();
    }
  });

  it('links only to sections that are there, and names what a label refers to', () => {
    const { elements } = page();
    const ids = new Set(elements.flatMap((each) => each.attributes.get('id') ?? []));
    for (const { attributes } of elements) {
      const href = attributes.get('href');
      if (href !== undefined) expect(ids).toContain(href.slice(1));
      for (const id of attributes.get('aria-labelledby')?.split(' ') ?? []) expect(ids).toContain(id);
    }
  });

  it('says what people must do before anything else of the run', () => {
    const { text } = page();
    const body = text.slice(text.indexOf('<main'));
    expect(body.indexOf('What people must do (4)')).toBeLessThan(body.indexOf('Owed to eastus'));
    expect(body.indexOf('Owed to eastus')).toBeLessThan(body.indexOf('id="objectives"'));
  });

  it('draws a titled chart with a bar for each phase and step that has a time, and its figures in a table', () => {
    const { elements } = page();
    const chart = elements.find((each) => each.attributes.get('class') === 'gantt');
    expect(chart?.attributes.get('role')).toBe('img');
    const bars = elements.filter((each) => each.name === 'rect' && each.attributes.get('class')?.startsWith('bar'));
    expect(bars).toHaveLength(7 + 13);
    for (const { attributes } of bars) {
      const from = Number.parseFloat(attributes.get('x') ?? '');
      const width = Number.parseFloat(attributes.get('width') ?? '');
      expect(from).toBeGreaterThanOrEqual(0);
      expect(from + width).toBeLessThanOrEqual(100.2);
    }
    const cells = elements
      .filter((each) => each.attributes.get('data-label') === 'Took')
      .map((each) => each.text.trim());
    expect(cells).toContain('1m 33s');
  });

  it('keeps the chart readable when the outage began long before the run', () => {
    const { text } = page((input) => (input.header.outageBeganAt = '2026-11-20T10:00:00.000Z'));
    expect(text).toContain('too long before it to be drawn to scale');
    expect(text).not.toContain('>outage began<');
  });

  it('shows every job, every changed value and the diff with its signs', () => {
    const { elements, text } = page();
    const diff = elements.find((each) => each.name === 'pre');
    expect(diff?.text.trim()).toBe(configsEvidence[0]?.diff.trim());
    expect(diff?.attributes.get('tabindex')).toBe('0');
    expect(elements.filter((each) => each.attributes.get('class') === 'del')).toHaveLength(2);
    for (const job of ['train-fraud-17', 'us-k3v9q1m0', 'tune-lr-44', 'not in jobs.compute'])
      expect(text).toContain(job);
  });

  it('says of a config file that was not restored why', () => {
    const { elements } = page((input) => {
      const configs = input.evidence.find((each) => each.kind === 'configs');
      if (configs) configs.content = [{ ...configsEvidence[0], reason: 'edited after run move' }];
    });
    expect(elements.map(({ text }) => text.replaceAll(/\s+/g, ' ').trim())).toContainEqual(
      expect.stringContaining('changed (edited after run move); 2 values rewritten'),
    );
  });

  it('tells a removed line that begins with dashes from the name of a file', () => {
    const { elements } = page((input) => {
      const configs = input.evidence.find((each) => each.kind === 'configs');
      if (configs)
        configs.content = [{ ...configsEvidence[0], diff: '--- a/x\n+++ b/x\n@@ -1 +1 @@\n--- old\n+++ new\n' }];
    });
    const classes = elements.filter((each) => each.path.at(-1) === 'pre').map((each) => each.attributes.get('class'));
    expect(classes).toEqual(['hunk', 'hunk', 'hunk', 'del', 'add']);
  });

  it('escapes whatever anybody called anything, everywhere it is shown', () => {
    const canary = `<script>alert("x")</script><img src=x onerror='y'>&amp;`;
    const { elements } = page((input) => {
      const poison = (value: unknown): unknown => {
        if (typeof value === 'string') return `${canary}${value}`;
        if (Array.isArray(value)) return value.map(poison);
        if (value === null || typeof value !== 'object') return value;
        return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, poison(each)]));
      };
      for (const document of input.evidence) document.content = poison(document.content);
      input.header = {
        ...input.header,
        reason: canary,
        triggeredBy: canary,
        outageSource: canary,
        topology: canary,
        from: canary,
        runId: canary,
      };
      input.plan.notes = [canary];
      for (const step of input.plan.steps) step.title = canary;
      for (const record of input.records) {
        record.detail = canary;
        if (record.lost) record.lost = [canary];
        for (const debt of record.owed ?? []) debt.what = canary;
        for (const counts of record.counts ?? []) counts.kind = canary;
      }
      input.problems = [canary];
    });
    const named = new Set(elements.map((each) => each.name));
    expect(named).not.toContain('script');
    expect(named).not.toContain('img');
    // Shown as it is, to be read.
    expect(elements.some((each) => each.name === 'h1' && each.text.includes(canary))).toBe(true);
    for (const { attributes } of elements) for (const key of attributes.keys()) expect(key).not.toMatch(/^on/);
  });

  it('takes control characters and marks that turn text away', () => {
    expect(html`<b>${'a\u0000\u001B[31m\u202Egnp.exe\uD800'}</b>`.text).toBe(
      '<b>a\uFFFD\uFFFD[31m\uFFFDgnp.exe\uFFFD</b>',
    );
  });

  it('leaves out what there is nothing to say of', () => {
    const { elements, text } = page((input) => {
      for (const record of input.records) {
        delete record.lost;
        delete record.owed;
        for (const counts of record.counts ?? [])
          Object.assign(counts, { done: counts.expected, skipped: [], failed: [] });
      }
      input.evidence = [];
    });
    const ids = elements.flatMap((each) => each.attributes.get('id') ?? []);
    expect(ids).not.toContain('jobs');
    expect(text).not.toContain('What people must do');
  });

  it('draws a run of which nothing has happened yet', () => {
    const { elements } = page((input) => {
      input.records = [];
      input.state = 'pending';
      delete input.endedAt;
      input.evidence = [];
    });
    expect(elements.some((each) => each.attributes.get('class') === 'gantt')).toBe(false);
    expect(elements.filter((each) => each.text.trim() === '· not begun' && each.name === 'td')).toHaveLength(13);
  });
});

describe('the colours', () => {
  it('have enough contrast on their grounds, light and dark', () => {
    const [light = '', dark = ''] = style.split('@media (prefers-color-scheme: dark)');
    for (const sheet of [light, dark.slice(0, dark.indexOf('* {'))]) {
      const colours = new Map(
        [...sheet.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name = '', value = '']) => [name, value]),
      );
      const contrast = (a: string, b: string) => {
        const [high = 0, low = 0] = [luminance(colours.get(a)), luminance(colours.get(b))].toSorted((x, y) => y - x);
        return (high + 0.05) / (low + 0.05);
      };
      const texts = [
        ['ink', 'paper'],
        ['quiet', 'paper'],
        ['link', 'paper'],
        ['good', 'good-ground'],
        ['bad', 'bad-ground'],
        ['warn', 'warn-ground'],
        ['quiet', 'warn-ground'],
        ['bad', 'paper'],
        ['ink', 'bad-ground'],
        ['quiet', 'card'],
      ];
      for (const [text = '', ground = ''] of texts)
        expect([text, ground, contrast(text, ground) >= 4.5]).toEqual([text, ground, true]);
      for (const bar of ['platform', 'data', 'training', 'inference', 'phase'])
        expect([bar, contrast(bar, 'paper') >= 3]).toEqual([bar, true]);
    }
  });
});

/** https://www.w3.org/TR/WCAG21/#dfn-relative-luminance */
function luminance(colour = ''): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((start) => Number.parseInt(colour.slice(start, start + 2), 16) / 255)
    .map((channel) => (channel <= 0.039_28 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
