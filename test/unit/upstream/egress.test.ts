import t from 'tap'
import type { LookupAddress } from 'node:dns'
import type { Problem } from '../../../proxy/lib/problem.ts'
import { admits, compileEgress, guardLookup, type Egress, type Lookup } from '../../../proxy/upstream/egress.ts'

type Reported = { path: Problem['path']; message: string }

function compile(hostname: string, cidrs?: string[]): { egress: Egress; reported: Reported[] } {
  const reported: Reported[] = []
  return { egress: compileEgress(hostname, cidrs, (path, message) => reported.push({ path, message })), reported }
}

const open = compile('api.example.com').egress

t.test('without egress the special addresses are refused, public and private ones pass', async (t) => {
  const refused = [
    '127.0.0.1',
    '127.255.255.254',
    '::1',
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '169.254.0.1',
    '169.254.169.254',
    '169.254.170.2',
    'fe80::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    'fd20:ce::254',
    '168.63.129.16',
    '192.0.0.192',
    '100.64.0.1',
    '100.100.100.200',
    '100.127.255.255',
    '224.0.0.1',
    '239.255.255.255',
    'ff02::1',
    '255.255.255.255',
  ]
  for (const address of refused) t.notOk(admits(open, address), address)
  const admitted = [
    '1.1.1.1',
    '203.0.113.7',
    '10.0.0.1',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    'fd00::1',
    'fc00::1',
    '100.63.255.255',
    '100.128.0.0',
    '169.253.255.255',
    '2606:4700:4700::1111',
    'fd00:ec2::253',
  ]
  for (const address of admitted) t.ok(admits(open, address), address)
})

t.test('an IPv4 address inside an IPv6 one is what is judged', async (t) => {
  const wraps: [string, (hex: string, dotted: string) => string][] = [
    ['mapped', (hex) => `::ffff:${hex}`],
    ['mapped, dotted', (_, dotted) => `::ffff:${dotted}`],
    ['compatible', (hex) => `::${hex}`],
    ['translated', (hex) => `::ffff:0:${hex}`],
    ['NAT64', (hex) => `64:ff9b::${hex}`],
    ['local NAT64', (hex) => `64:ff9b:1::${hex}`],
    ['6to4', (hex) => `2002:${hex}::1`],
  ]
  for (const [name, wrap] of wraps) {
    t.notOk(admits(open, wrap('7f00:1', '127.0.0.1')), `${name} loopback`)
    t.notOk(admits(open, wrap('a9fe:a9fe', '169.254.169.254')), `${name} metadata`)
    t.ok(admits(open, wrap('101:101', '1.1.1.1')), `${name} public`)
  }
  t.notOk(admits(open, '2001:0:101:101:0:0:80ff:fffe'), 'Teredo, whose client address is inverted')
  t.ok(admits(open, '2001:0:7f00:1:0:0:fefe:fefe'), 'its server address is not where traffic ends')
})

t.test('what is not an address in its canonical spelling is refused', async (t) => {
  for (const text of ['', '127.1', '0177.0.0.1', '2130706433', '0x7f000001', '1.1.1.1 ', '１.1.1.1', 'example.com']) {
    t.notOk(admits(open, text), JSON.stringify(text))
  }
})

t.test('with egress only that', async (t) => {
  const { egress, reported } = compile('api.example.com', [
    '203.0.113.0/24',
    '2001:db8::/32',
    '127.0.0.5',
    '10.1.2.3/8',
  ])
  t.strictSame(reported, [])
  for (const address of ['203.0.113.255', '::ffff:203.0.113.1', '2001:db8::1', '127.0.0.5', '10.200.0.1']) {
    t.ok(admits(egress, address), address)
  }
  for (const address of ['203.0.114.0', '1.1.1.1', '127.0.0.1', '::1', '2001:db9::1', '::ffff:203.0.114.1']) {
    t.notOk(admits(egress, address), address)
  }
  t.ok(
    admits(compile('x.example', ['::ffff:198.51.100.0/120']).egress, '198.51.100.9'),
    'a mapped range is one of IPv4',
  )
})

t.test('localhost means loopback, and nothing else special', async (t) => {
  for (const hostname of ['localhost', 'localhost.', 'app.localhost']) {
    for (const cidrs of [undefined, ['203.0.113.0/24']]) {
      const { egress } = compile(hostname, cidrs)
      t.ok(admits(egress, '127.0.0.1'), hostname)
      t.ok(admits(egress, '::1'), hostname)
      t.notOk(admits(egress, '169.254.169.254'), hostname)
      t.equal(admits(egress, '10.0.0.1'), cidrs === undefined, hostname)
    }
  }
  t.notOk(admits(compile('notlocalhost').egress, '127.0.0.1'))
  t.notOk(admits(compile('localhost.example.com').egress, '127.0.0.1'))
})

t.test('an address written in the URL is meant, whatever egress says', async (t) => {
  for (const url of [
    'http://127.0.0.1',
    'http://2130706433',
    'http://0177.1',
    'http://[::1]',
    'http://169.254.169.254',
  ]) {
    const { hostname } = new URL(url)
    t.strictSame(compile(hostname).reported, [], url)
    t.strictSame(compile(hostname, ['203.0.113.0/24']).reported, [], `${url} beside egress`)
  }
})

t.test('ranges that are none are reported where they stand', async (t) => {
  const { reported } = compile('x.example', ['10.0.0.0/8', '10.0.0.0/33', 'example.com', '::/129'])
  t.strictSame(
    reported.map(({ path }) => path),
    [
      ['egress', 1],
      ['egress', 2],
      ['egress', 3],
    ],
  )
})

function resolved(addresses: LookupAddress[] | Error): Lookup {
  return (_hostname, _options, callback) => {
    if (addresses instanceof Error) callback(addresses, [])
    else callback(null, addresses)
  }
}

t.test('the lookup of the socket gets only what may be reached', async (t) => {
  const mixed = resolved([
    { address: '169.254.169.254', family: 4 },
    { address: '203.0.113.7', family: 4 },
    { address: '2001:db8::7', family: 6 },
  ])
  guardLookup(open, mixed)('x.example', { all: true }, (error, addresses) => {
    t.equal(error, null)
    t.strictSame(addresses, [
      { address: '203.0.113.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ])
  })
  guardLookup(open, mixed)('x.example', {}, (error, address, family) => {
    t.strictSame([error, address, family], [null, '203.0.113.7', 4])
  })
  guardLookup(open, resolved([{ address: '127.0.0.1', family: 4 }]))('x.example', { all: true }, (error) => {
    t.match(error, { code: 'upstream-refused-address' })
    t.notMatch(String(error), '127.0.0.1')
  })
  const unknown = new Error('ENOTFOUND')
  guardLookup(open, resolved(unknown))('x.example', { all: true }, (error) => t.equal(error, unknown))
})
