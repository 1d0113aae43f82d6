#!/usr/bin/env node
// Owns nothing but the start: hands the command line to cli/.
import { runCommand } from './cli/program.ts'

await runCommand(process.argv.slice(2))
