// The published clients of npm, unchanged, in one conversation each: whole and streamed, with a call of a tool.
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import Anthropic from '@anthropic-ai/sdk'

const [base, key] = process.argv.slice(2)
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }

async function chat(path) {
  const client = new OpenAI({ baseURL: base + path, apiKey: key, maxRetries: 0 })
  for (const stream of [false, true]) {
    const messages = [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'The weather?' }]
    const tools = [{ type: 'function', function: { name: 'weather', parameters: schema } }]
    const ask = async () => {
      if (!stream) return (await client.chat.completions.create({ model: 'auto', messages, tools })).choices[0]
      const run = client.chat.completions.stream({ model: 'auto', messages, tools })
      return (await run.finalChatCompletion()).choices[0]
    }
    const first = await ask()
    assert.equal(first.finish_reason, 'tool_calls')
    assert.equal(first.message.content, 'Let me look. ')
    const call = first.message.tool_calls[0]
    assert.deepEqual([call.id, call.function.name, call.function.arguments], ['call_1', 'weather', '{"city":"Kiel"}'])
    messages.push(first.message, { role: 'tool', tool_call_id: call.id, content: 'rain' })
    const second = await ask()
    assert.deepEqual([second.finish_reason, second.message.content], ['stop', 'It rains in Kiel.'])
  }
  return client
}

async function responses(client) {
  for (const stream of [false, true]) {
    const input = [{ role: 'user', content: 'The weather?' }]
    const tools = [{ type: 'function', name: 'weather', parameters: schema, strict: true }]
    const ask = async () => {
      const body = { model: 'auto', instructions: 'Be brief.', input, tools }
      if (!stream) return client.responses.create(body)
      return client.responses.stream(body).finalResponse()
    }
    const first = await ask()
    const call = first.output.find((o) => o.type === 'function_call')
    assert.deepEqual([call.call_id, call.name, call.arguments], ['call_1', 'weather', '{"city":"Kiel"}'])
    input.push(...first.output, { type: 'function_call_output', call_id: call.call_id, output: 'rain' })
    const second = await ask()
    assert.deepEqual([second.status, second.output_text], ['completed', 'It rains in Kiel.'])
  }
}

async function messages() {
  const client = new Anthropic({ baseURL: base + '/anthropic', apiKey: key, maxRetries: 0 })
  for (const stream of [false, true]) {
    const list = [{ role: 'user', content: 'The weather?' }]
    const ask = async () => {
      const body = { model: 'auto', max_tokens: 100, system: 'Be brief.', messages: list, tools: [{ name: 'weather', input_schema: schema }] }
      return stream ? client.messages.stream(body).finalMessage() : client.messages.create(body)
    }
    const first = await ask()
    const call = first.content.find((b) => b.type === 'tool_use')
    assert.deepEqual([first.stop_reason, call.id, call.name, call.input], ['tool_use', 'call_1', 'weather', { city: 'Kiel' }])
    list.push({ role: 'assistant', content: first.content }, { role: 'user', content: [{ type: 'tool_result', tool_use_id: call.id, content: 'rain' }] })
    const second = await ask()
    assert.deepEqual([second.stop_reason, second.content[0].text, second.usage.output_tokens], ['end_turn', 'It rains in Kiel.', 5])
  }
  assert.equal((await client.models.list()).data[0].id, 'auto')
}

await chat('/api/gateway/v1')
const client = await chat('/v1')
await responses(client)
await messages()
assert.equal((await client.models.list()).data[0].id, 'auto')
await assert.rejects(new OpenAI({ baseURL: base + '/v1', apiKey: 'lob_nobody', maxRetries: 0 }).models.list(), OpenAI.AuthenticationError)
await assert.rejects(new Anthropic({ baseURL: base + '/anthropic', apiKey: 'lob_nobody', maxRetries: 0 }).models.list(), Anthropic.AuthenticationError)
console.log('every client was answered')
