// Writes catalog.json from the npm package @pydantic/genai-prices (MIT): names, match rules, context windows and
// prices of the chat models of the providers below. To refresh, in an empty folder outside the repository:
//
//   npm install @pydantic/genai-prices@<version>
//   cp <repository>/engine/llm/catalog.mjs . && node catalog.mjs <version> > <repository>/engine/llm/catalog.json
//   go test ./engine/llm/
//
// Prices become integers: micro-dollars for one million tokens (1.25 $ = 1250000). Which models take tools and
// images is not in the package; the rules at the end of this file are ours, from the providers' model pages.
import { findProvider } from '@pydantic/genai-prices';

const providers = ['openai', 'anthropic', 'google', 'mistral', 'deepseek', 'x-ai', 'groq', 'cerebras', 'moonshotai', 'cohere'];
const notChat = /embed|tts|transcribe|whisper|realtime|live|image|audio|moderation|guard|ocr|babbage|curie|davinci|^ada$|instruct$|voxtral|speech|rerank|search-preview|omni|computer-use|video|veo|imagen|lyria|robotics|voice|^ft:/;

const micro = (dollars) => (dollars === undefined ? 0 : Math.round(dollars * 1e6));
const base = (p) => (typeof p === 'object' ? p.base : p);
const above = (p, start) => {
  if (typeof p !== 'object') return p;
  const tier = p.tiers.filter((t) => t.start <= start).at(-1);
  return tier ? tier.price : p.base;
};
const row = (from, over, p, pick) => {
  const r = { in: micro(pick(p.input_mtok)), out: micro(pick(p.output_mtok)) };
  if (p.cache_read_mtok !== undefined) r.read = micro(pick(p.cache_read_mtok));
  if (p.cache_write_mtok !== undefined) r.write = micro(pick(p.cache_write_mtok));
  if (from) r.from = from;
  if (over) r.over = over;
  return r;
};

function prices(model) {
  const list = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const rows = [];
  for (const { constraint, prices: p } of list) {
    if (constraint && constraint.type !== 'start_date') continue; // hours of the day: the plain price is the dearer one
    const from = constraint?.start_date;
    if (p.input_mtok === undefined && p.output_mtok === undefined) continue;
    rows.push(row(from, 0, p, base));
    const starts = new Set(Object.values(p).flatMap((v) => (v.tiers ?? []).map((t) => t.start)));
    for (const s of [...starts].sort((a, b) => a - b)) rows.push(row(from, s, p, (v) => above(v, s)));
  }
  return rows;
}

function rules(match) {
  if (match.or) return match.or.flatMap(rules);
  if (match.and) return [{ and: match.and.flatMap(rules) }];
  if (match.regex?.startsWith('^(?!')) return []; // Go has no look-ahead; these only keep speech models out
  for (const op of ['equals', 'starts_with', 'ends_with', 'contains', 'regex']) {
    if (match[op] !== undefined) return [{ [op]: op === 'regex' ? match[op] : match[op].toLowerCase() }];
  }
  return [];
}

const tools = (provider, id) =>
  !/gpt-3\.5|gpt-4-32k|^gpt-4$|vision|claude-(2|v1|instant)|o1-(mini|preview)|gemini-(pro|1\.0)$|gemma|command$|command-light|chat-latest|deepseek-r1|distill/.test(id);
const images = (provider, id) =>
  provider === 'openai' ? /gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-(turbo|vision)|gpt-[5-9]|^o[134]($|-)/.test(id) && !/o1-(mini|preview)|o3-mini/.test(id)
  : provider === 'anthropic' ? !/claude-(2|v1|instant)/.test(id)
  : provider === 'google' ? /gemini/.test(id) && id !== 'gemini-pro'
  : provider === 'mistral' ? /pixtral|mistral-(small|medium-3|large-3)|ministral-3/.test(id)
  : provider === 'x-ai' ? /vision|grok-[4-9]/.test(id)
  : /llama-4|vision|kimi-k2\.[5-9]|kimi-k3/.test(id);

const models = [];
for (const provider of providers) {
  for (const m of findProvider({ providerId: provider }).models) {
    if (notChat.test(m.id) || (provider === 'google' && m.id.startsWith('claude'))) continue;
    const price = prices(m);
    const out = { provider, id: m.id, match: rules(m.match) };
    if (m.name && m.name !== m.id) out.name = m.name;
    if (m.context_window) out.context = m.context_window;
    if (price.length) out.price = price;
    if (tools(provider, m.id)) out.tools = true;
    if (images(provider, m.id)) out.images = true;
    models.push(out);
  }
}
const head = { source: `@pydantic/genai-prices ${process.argv[2]}`, licence: 'MIT', made: new Date().toISOString().slice(0, 10) };
const lines = models.map((m) => '    ' + JSON.stringify(m)).join(',\n');
process.stdout.write(JSON.stringify(head).slice(0, -1) + `,"models":[\n${lines}\n]}\n`);
