// Secrets that only what stands around them gives away. Values are put together here, so that no scanner of this repository
// takes them for real ones.
import t from 'tap'
import { scanText } from '../../../../proxy/detect/scan-text.ts'
import { found } from './found.ts'

const random = ['q7Rk2Vw9', 'Lz4Np8Xc', '3Tb6Ym1H'].join('')
const password = ['hunter', '2xy!'].join('')

void t.test('a password is what a name that ends in password is given', async (t) => {
  for (const [text, value] of [
    [`password = "${password}"`, password],
    [`DB_PASSWORD=${password}`, password],
    [`{"adminPassword": "${password}"}`, password],
    [`{\\"password\\":\\"${password}\\"}`, password],
    [`pwd: '${password}'`, password],
    [`<password>${password}</password>`, password],
    [`<add key="dbPassword" value="${password}"/>`, password],
    [`login --password ${password} --now`, password],
    [`passwd := "${password}"`, password],
    [`let userPassword: string = '${password}'`, password],
    [`MYSQLPASS: ${password}`, password],
    [`my password is ${password}`, password],
    [`"password": "correcthorse"`, 'correcthorse'],
    [`APP_PASS=correcthorse`, 'correcthorse'],
  ] as const)
    t.same(found(text, 'generic-secret'), [value], text)
})

void t.test('an ampersand is of a password unless a pair of a query or a command begins there', async (t) => {
  const joined = ['Tr0ub4', 'dor&3x'].join('')
  for (const [text, value] of [
    [`DB_PASSWORD=${joined}\nX=1`, joined],
    [`  - POSTGRES_PASSWORD=${joined}`, joined],
    [`spring.datasource.password=${joined}`, joined],
    [`PGPASSWORD=${joined} psql -h db`, joined],
    [`DB_PASSWORD=${joined}&y9`, `${joined}&y9`],
    [`https://h.example/?password=${password}&user=bob`, password],
    [`https://h.example/?password=${password}&limit`, password],
    [`password=${password}&filter[name]=x`, password],
    [`password=${password}&flag&user=bob`, password],
    [`password=${password}&amp;user=bob`, password],
    [`<a p="password=${password}&quot;x`, password],
    [`DB_PASSWORD=${password}&& run`, password],
    [`DB_PASSWORD=${password}& run`, password],
  ] as const)
    t.same(found(text, 'generic-secret'), [value], text)
})

void t.test('a name in the index of a list is one where something is assigned to it', async (t) => {
  for (const [text, value] of [
    [`os.environ['API_TOKEN'] = '${random}'`, random],
    [`os.environ["API_TOKEN"]="${random}"`, random],
    [`config["db"]["password"] = "${password}"`, password],
    [`$_ENV['DB_PASS'] = '${password}';`, password],
    [`if headers['X-Api-Key'] == '${random}':`, random],
    [`"os.environ[\\"API_TOKEN\\"] = \\"${random}\\""`, random],
    [`secret_key_base: ${random}`, random],
  ] as const)
    t.same(found(text, 'secrets'), [value], text)
  for (const text of [
    `print(x['token'], y['${random}'])`,
    'x["password"] = input()',
    'x["password"] = os.environ["PASSWORD"]',
    `token = x["token"]; y = '${random}'`,
  ])
    t.same(found(text, 'secrets'), [], text)
})

void t.test('an escaped quote belongs to a value whose quotes are none', async (t) => {
  t.same(found(`{"password": "hun\\"ter2xyz"}`, 'generic-secret'), ['hun\\"ter2xyz'])
  t.same(found(`{"password": "a\\"b9cdefg"}`, 'generic-secret'), ['a\\"b9cdefg'])
  t.same(found(`{"password":"x\\\\", "b": "hunter2"}`, 'generic-secret'), [])
  t.same(found(`{\\"password\\": \\"${password}\\", \\"user\\": \\"x\\"}`, 'generic-secret'), [password])
})

void t.test('a long token is known by its beginning, whatever its end', async (t) => {
  const long = random.repeat(90)
  for (const [text, value] of [
    [`"session_token": "${long}",`, long],
    [`token=${long}== and so on`, `${long}==`],
    [`token=${long}. And so on`, long],
    [`{\\"token\\": \\"${long}\\"}`, long],
    [`token="${long} and so on"`, long],
  ] as const)
    t.same(found(text, 'generic-secret'), [value], text.slice(0, 20))
  t.same(found(`token: "${long.slice(0, 300)} and so on"`, 'generic-secret'), [])
  t.same(found(`token: "${'words-and-words-'.repeat(40)}"`, 'generic-secret'), [])
})

void t.test('a token is a random string that a name for secrets is given', async (t) => {
  for (const text of [
    `api_key = "${random}"`,
    `API-KEY: ${random}`,
    `X-Auth-Token: ${random}`,
    `clientSecret: '${random}',`,
    `GET /v1?access_token=${random}&x=1`,
    `secret key: ${random}`,
    `credentials => "${random}"`,
    `APP_SIGNING_KEY=${random}`,
    `key: "${random}"`,
  ])
    t.same(found(text, 'generic-secret'), [random], text)
})

void t.test('names and values that are not secret', async (t) => {
  for (const text of [
    'The password is required for login, the token is optional.',
    'password: string',
    'password: Optional[str] = None',
    'password = input("Password: ")',
    'password="", timeout="x1y2z3"',
    'password = config.db_password2',
    'password=$PASSWORD1',
    'password: ${DB_PASSWORD_1}',
    'password: {{ .Values.password1 }}',
    'password: <your password 1>',
    'password: ********',
    'password_reset_url = "https://example.org/reset1"',
    `password_hash_algorithm: "argon2id-v19"`,
    `{"type": "password", "name": "password1"}`,
    'bypass = "yes1234"',
    'token = await getToken1()',
    'const token = tokens[0]',
    'max_tokens: 4096, token_count = 123456789012',
    `tokenizer: cl100k_base_2024`,
    `next_page_token = "${random}"`,
    `cache_key = "${random}"`,
    `public_key = "${random}"`,
    `primaryKey: "${random}"`,
    'api_key = process.env.API_KEY_2',
    'api_key = "your-api-key-here-1"',
    'key: "a1b2c3d4e5f6"',
    `key: "7f3a9c1e5b8d20467f3a9c1e5b8d2046"`,
    'secretKeyRef:\n  name: my-secret-1\n  key: db-password-1',
    'author = "q7Rk2Vw9Lz4Np8Xc"',
    `keyboard: "${random}"`,
    `monkey ${random}`,
  ])
    t.same(found(text, 'generic-secret'), [], text)
})

void t.test('what is known by its form is not generic', async (t) => {
  const key = `ghp_${random}${random.slice(0, 12)}`
  t.same(
    scanText(`api_token = "${key}"`, ['secrets']).map((f) => f.entity),
    ['github-token'],
  )
})

void t.test('user names with passwords in URLs', async (t) => {
  for (const [text, value] of [
    ['postgres://app:pw123@db.internal:5432/app', 'app:pw123'],
    ['"mongodb+srv://app:p%40ss@cluster0.example.net/?w=majority"', 'app:p%40ss'],
    ['redis://:pw123@localhost:6379/0', ':pw123'],
    ['jdbc:mysql://root:pw@123@db/x', 'root:pw@123'],
    ['"https:\\/\\/ada:pw123@example.org\\/x"', 'ada:pw123'],
    ['amqp://guest:guest@[::1]:5672', 'guest:guest'],
  ] as const)
    t.same(found(text, 'secrets'), [value], text)
  for (const text of [
    'https://example.org:8080/@ada',
    'https://ada@example.org/',
    'https://example.org/a:b@c',
    'postgres://app:${DB_PASSWORD}@db/app',
    'postgres://app:<password>@db/app',
    'https://ada:***@example.org',
    'see http://: and ://@',
  ])
    t.same(found(text, 'secrets'), [], text)
})

void t.test('logins in connection strings', async (t) => {
  for (const [text, value] of [
    ['Server=db;User Id=app;Password=letmein;', 'app;Password=letmein'],
    ['"Provider=SQLNCLI;Database=d;Uid=app;Pwd=letmein;"', 'app;Pwd=letmein'],
    ['host=db user=app password=letmein dbname=x', 'app password=letmein'],
  ] as const)
    t.same(found(text, 'connection-string'), [value], text)
  t.same(found('user=app;Password=${PW};', 'connection-string'), [])
  t.same(found('user = app\nname = x', 'connection-string'), [])
  const line = 'machine api.example.org login ada password'
  t.same(found(`${line} ${password}\n`, 'netrc-password'), [`ada password ${password}`])
  t.same(found('the machine login of ada', 'netrc-password'), [])
  t.same(found(`CREATE USER ada IDENTIFIED BY '${password}';`, 'sql-password'), [password])
  t.same(found('a user identified by name', 'sql-password'), [])
})

void t.test('credentials of HTTP', async (t) => {
  const basic = Buffer.from('ada:open sesame').toString('base64')
  t.same(found(`Authorization: Basic ${basic}\n`, 'secrets'), [basic])
  t.same(found(`curl -H "Authorization: Bearer ${random}"`, 'secrets'), [random])
  t.same(found(`{"authorization": "token ${random}"}`, 'secrets'), [random])
  for (const text of ['Authorization: Bearer <token>', 'Authorization: Basic auth is used', 'the bearer of bad news'])
    t.same(found(text, 'secrets'), [], text)
  t.same(found(`curl -u ada:${password} https://example.org`, 'secrets'), [`ada:${password}`])
  for (const text of [
    'docker run -u 1000:1000 x',
    'curl -u ada https://x.org',
    'curl -u "$USER:$PASSWORD" https://x.org',
  ])
    t.same(found(text, 'secrets'), [], text)
})

void t.test('credentials of registries, as docker and npm keep them', async (t) => {
  const auth = Buffer.from(`bob:${password}`).toString('base64')
  const long = Buffer.from(`AWS:${random.repeat(80)}`).toString('base64')
  const json = Buffer.from(`_json_key:{\n  "type": "service_account",\n  "project_id": "p1"\n}\n`).toString('base64')
  for (const [text, value] of [
    [`{"auths":{"ghcr.io":{"auth":"${auth}"}}}`, auth],
    [`{"auths": {"https://index.docker.io/v1/": {"auth": "${auth}", "email": ""}}}`, auth],
    [JSON.stringify({ out: `{"auths":{"ghcr.io":{"auth":"${auth}"}}}` }), auth],
    [`{"auths":{"1234.dkr.ecr.eu-west-1.amazonaws.com":{"auth":"${long}"}}}`, long],
    [`{"auths":{"gcr.io":{"auth":"${json}"}}}`, json],
    [`_auth=${auth}`, auth],
    [`_auth = "${auth}"`, auth],
    [`//registry.example.com/:_auth=${auth}`, auth],
  ] as const)
    t.same(found(text, 'authorization-header'), [value], text)
  for (const text of [
    `{"auth": "required"}`,
    `{"auth": "basic"}`,
    `auth: ${Buffer.from('no pair').toString('base64')}`,
    `{"auth": "${Buffer.from('no pair, and longer').toString('base64')}"}`,
    `{"oauth": "${'abcd'.repeat(6)}"}`,
    `the auth ${auth} in prose`,
  ])
    t.same(found(text, 'authorization-header'), [], text)
})

void t.test('the secret of an AWS access key beside its id', async (t) => {
  const id = ['AKIA', '2WXDZYL7SRQQBNAC'].join('')
  const secret = ['C34Aw8UXoovTGnG/mkVp', 'jMYbaLLinNpJm9vdyJZq'].join('')
  for (const text of [
    `Access key ID,Secret access key\n${id},${secret}\n`,
    `AWS Access Key ID [None]: ${id}\nAWS Secret Access Key [None]: ${secret}\nDefault region name [None]: eu-west-1`,
    `ACCESSKEY\t${id}\t2026-01-01T00:00:00+00:00\t${secret}\tActive\tbob`,
    `new BasicAWSCredentials("${id}", "${secret}")`,
    `our keys are ${id} / ${secret}, have fun`,
    `${id}:${secret}`,
    `| ${id} | ${secret} |`,
    `["${id}","${secret}"]`,
    JSON.stringify({ csv: `Access key ID,Secret access key\r\n${id},${secret}\r\n` }),
    `**${id}**: \`${secret}\``,
  ])
    t.same(found(text, 'aws-secret-access-key'), [secret], text)
  for (const text of [
    `${id} was made in ${'7f3a9c1e5b'.repeat(4)}`,
    `${id},${secret}x`,
    `${id},${secret}=`,
    `${id} and after ${'much else '.repeat(8)}${secret}`,
    `${['AKIAIOSFODNN7', 'EXAMPLE'].join('')},${secret}`,
    `${id},${['wJalrXUtnFEMI/K7MDENG/', 'bPxRfiCYEXAMPLEKEY'].join('')}`,
    `Credential=${id}/20261122/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=${'7f3a9c1e'.repeat(8)}`,
  ])
    t.same(found(text, 'aws-secret-access-key'), [], text)
})

void t.test('hashes of passwords', async (t) => {
  const letters = random.repeat(4)
  for (const hash of [
    `$2b$12$${letters.slice(0, 53)}`,
    `$1$${letters.slice(0, 8)}$${letters.slice(0, 21)}/`,
    `$6$${letters.slice(0, 12)}$${letters.slice(0, 86)}`,
    `$argon2id$v=19$m=65536,t=3,p=4$${letters.slice(0, 22)}$${letters.slice(0, 43)}`,
    `{SSHA}${letters.slice(0, 32)}`,
  ])
    t.same(found(`ada:${hash}`, 'secrets'), [hash], hash)
  t.same(found('it costs $2b$ or $1$', 'secrets'), [])
})

const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
const payload = Buffer.from('{"sub":"1"}').toString('base64url')

void t.test('a JWT whose header was damaged is known by its payload', async (t) => {
  const damaged = `${header.slice(0, -4)}AAAA`
  const token = `${damaged}.${payload}.c2ln`
  t.same(found(`t ${token} x`, 'jwt'), [token])
  t.same(found(`t ${damaged}.c3ViLg.c2ln x`, 'jwt'), [])
})

void t.test('what has been encoded once more', async (t) => {
  const token = Buffer.from(`${header}.${payload}.c2ln`).toString('base64')
  t.same(found(`token: ${token}\n`, 'jwt'), [token])
  t.same(found(Buffer.from('eyJust any text that begins like it').toString('base64'), 'jwt'), [])
  const pem = `-----BEGIN RSA PRIVATE KEY-----\n${random.repeat(6)}\n-----END RSA PRIVATE KEY-----\n`
  const wrapped = Buffer.from(pem).toString('base64')
  t.same(found(`tls.key: ${wrapped}\n`, 'private-key'), [wrapped])
  const certificate = Buffer.from(pem.replaceAll('RSA PRIVATE KEY', 'CERTIFICATE')).toString('base64')
  t.same(found(`tls.crt: ${certificate}\n`, 'private-key'), [])
})

void t.test('private keys of PuTTY, and in logs', async (t) => {
  const lines = `${random.repeat(2)}${random.slice(0, 16)}\n${random}`
  t.same(found(`Private-Lines: 2\n${lines}\nPrivate-MAC: 00`, 'private-key'), [lines])
  const key = ['-----BEGIN PRIVATE KEY-----', random.repeat(2), '-----END PRIVATE KEY-----'].join('\n#6 0.245 ')
  t.same(found(`#6 0.240 ${key}\n`, 'private-key'), [key])
})
