import { busContract, driverHasNo } from './bus-contract.ts'
import { openEmbeddedFixture } from './embedded-fixture.ts'

driverHasNo('embedded', 'compressions', 'nobody else writes into the log, and it does not compress')
driverHasNo('embedded', 'stopBroker', 'there is no broker that could be stopped')

busContract('embedded', openEmbeddedFixture)
