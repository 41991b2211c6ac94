// OpenAI's framework for agents, unchanged: it runs the loop and the tool, our doors answer as the model.
import assert from 'node:assert/strict'
import OpenAI from 'openai'
import { z } from 'zod'
import { Agent, run, setDefaultOpenAIClient, setOpenAIAPI, setTracingDisabled, tool } from '@openai/agents'

const [base, key] = process.argv.slice(2)
setTracingDisabled(true)
setDefaultOpenAIClient(new OpenAI({ baseURL: base + '/v1', apiKey: key, maxRetries: 0 }))

const asked = []
const weather = tool({
  name: 'weather', description: 'The weather of a city.', parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => { asked.push(city); return 'rain' },
})
const agent = new Agent({ name: 'Forecaster', instructions: 'Be brief.', model: 'auto', tools: [weather] })

for (const api of ['chat_completions', 'responses']) {
  setOpenAIAPI(api)
  const whole = await run(agent, 'The weather?')
  assert.equal(whole.finalOutput, 'It rains in Kiel.')
  const streamed = await run(agent, 'The weather?', { stream: true })
  let text = ''
  for await (const piece of streamed.toTextStream()) text += piece
  await streamed.completed
  assert.equal(text, 'Let me look. It rains in Kiel.')
  assert.equal(streamed.finalOutput, 'It rains in Kiel.')
}
assert.deepEqual(asked, ['Kiel', 'Kiel', 'Kiel', 'Kiel'])
console.log('the framework ran its agent')
