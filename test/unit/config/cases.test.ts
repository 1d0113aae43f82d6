import t from 'tap'
import { loadConfig } from '../../../proxy/config/load.ts'
import { report } from '../../../proxy/config/report.ts'
import { runTextCases } from './text-case.ts'

const folder = new URL('cases', import.meta.url).pathname

runTextCases(t, folder, ({ paths, env }) => {
  const result = loadConfig(paths, env)
  return result.ok ? '' : report(result.problems, 'text')
})
