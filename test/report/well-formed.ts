/**
 * A walker over HTML that holds it to more than a browser does: every element closed, in order, every attribute quoted,
 * no id twice.
 */
const voids = new Set(['meta', 'link', 'br', 'hr', 'img', 'input', 'wbr', 'col']);

export interface Element {
  name: string;
  attributes: Map<string, string>;
  /** Names of the elements it is in, outermost first. */
  path: string[];
  text: string;
}

/** All elements in order of their start. Throws with the place where the text is not well formed. */
export function elementsOf(html: string): Element[] {
  const elements: Element[] = [];
  const open: Element[] = [];
  let position = 0;
  const fail = (why: string): never => {
    throw new Error(`${why} at ${position}: ${JSON.stringify(html.slice(position, position + 80))}`);
  };
  const text = (raw: string): void => {
    if (/&(?!(?:amp|lt|gt|quot|#39);)/.test(raw)) fail('a bare "&"');
    for (const element of open) element.text += decode(raw);
  };
  while (position < html.length) {
    const next = html.indexOf('<', position);
    if (next < 0) break;
    text(html.slice(position, next));
    position = next;
    if (/^<!doctype html>/i.test(html.slice(position))) {
      position += '<!doctype html>'.length;
      continue;
    }
    const end = /^<\/([a-zA-Z0-9]+)\s*>/.exec(html.slice(position));
    if (end) {
      const closed = open.pop();
      if (closed?.name !== end[1]) fail(`</${end[1]}> closes <${closed?.name ?? 'nothing'}>`);
      position += end[0].length;
      continue;
    }
    const start = /^<([a-zA-Z][a-zA-Z0-9]*)((?:\s+[a-zA-Z][\w:-]*(?:="[^"<]*")?)*)\s*(\/?)>/.exec(
      html.slice(position, position + 4000),
    );
    if (!start) return fail('not a tag');
    const [whole, name = '', rawAttributes = '', closing] = start;
    const attributes = new Map<string, string>();
    for (const [, key = '', value = ''] of rawAttributes.matchAll(/([a-zA-Z][\w:-]*)(?:="([^"]*)")?/g)) {
      if (attributes.has(key)) fail(`attribute ${key} twice`);
      attributes.set(key, decode(value));
    }
    const element = { name, attributes, path: open.map((each) => each.name), text: '' };
    elements.push(element);
    position += whole.length;
    if (name === 'style' || name === 'script') {
      const close = html.indexOf(`</${name}>`, position);
      if (close < 0) fail(`<${name}> is not closed`);
      element.text = html.slice(position, close);
      position = close + `</${name}>`.length;
      continue;
    }
    if (closing !== '/' && !voids.has(name)) open.push(element);
  }
  if (open.length > 0) fail(`<${open.at(-1)?.name}> is not closed`);
  const ids = elements.flatMap((each) => each.attributes.get('id') ?? []);
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`id "${twice}" twice`);
  return elements;
}

function decode(text: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => entities[name] ?? '');
}
