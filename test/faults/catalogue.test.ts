// The table of faults says what the tests run.
import t from 'tap'
import { faultTable, writtenTable } from '../support/fault-table.ts'
import { clientLinks } from './catalogue/client-links.ts'
import { processes } from './catalogue/processes.ts'
import { stores } from './catalogue/stores.ts'
import { upstreamLinks } from './catalogue/upstream-links.ts'
import { upstreams } from './catalogue/upstreams.ts'

t.equal(writtenTable(), faultTable(), 'the table is up to date: node test/support/fault-table.ts')

const ids = [...upstreamLinks, ...upstreams, ...clientLinks, ...stores, ...processes].map(({ id }) => id)
t.equal(new Set(ids).size, ids.length, 'every fault has a name of its own')
