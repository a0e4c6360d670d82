import type { ActionKind } from '../rules/action-kind.ts'
import { emitKind } from './emit.ts'
import { httpKind } from './http.ts'

/** What may stand under `do:`. A new kind is one file beside these and one line here. */
export const actionKinds: readonly ActionKind[] = [httpKind, emitKind]
