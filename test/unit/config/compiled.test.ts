import t from 'tap'
import { checkPaths } from '../../../proxy/cli/check.ts'
import { report } from '../../../proxy/config/report.ts'
import { runTextCases } from './text-case.ts'

const folder = new URL('compiled', import.meta.url).pathname

runTextCases(t, folder, ({ paths, env }) => report(checkPaths(paths, env), 'text'))
