#!/usr/bin/env node
import { crashOnFault } from './app/crash.ts'
import { commandLine } from './app/command-line.ts'
import { endSoon } from './app/stop-signal.ts'

crashOnFault()
process.exitCode = await commandLine(process.argv.slice(2))
endSoon()
