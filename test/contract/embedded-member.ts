import { openIn } from './embedded-fixture.ts'
import { runMember } from './member-process.ts'

/** A member on the embedded log in the folder argv[3]; see member-process.ts. */
await runMember(() => openIn(process.argv[3] ?? ''))
