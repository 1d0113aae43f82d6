// Secrets that commands are given on their line.
import t from 'tap'
import { found } from './found.ts'

/** Put together here, so that nothing takes it for a real one. */
const value = ['S3cr', '3tx9'].join('')

void t.test('flags of one letter, of the commands that take a password there', async (t) => {
  for (const text of [
    `mysql -u root -p${value} shop`,
    `mysqldump -h db -u backup -p'${value}' shop > out.sql`,
    `"command": "mariadb -p${value} -e 'select 1'"`,
    `sshpass -p ${value} ssh root@host`,
    `sshpass -p${value} scp a b:`,
    `cd x && sshpass -p "${value}" rsync a b`,
    `redis-cli -h cache -p 6379 -a ${value} ping`,
    `docker login -u ada -p ${value} registry.example`,
    `$ sudo podman login registry.example -u ada -p '${value}'`,
    `helm registry login -u ada -p ${value} r.example`,
    `az login -u ada -p ${value}`,
    `mongosh -u ada -p ${value}`,
    `/usr/bin/mongodump --host db -u ada -p ${value}`,
    `ldapsearch -x -D cn=admin -w ${value} -b dc=x`,
    `sqlcmd -S srv -U sa -P ${value} -Q "select 1"`,
    `bcp x out y -U sa -P${value}`,
    `zip -P ${value} a.zip b; unzip -P ${value} a.zip`,
    `7z x -p${value} a.7z`,
    `openssl enc -aes-256-cbc -k ${value} -in a`,
    `smbclient //srv/share -U ada%${value}`,
    `cmd \\nmysql -p${value}\\n`,
    `$p = ConvertTo-SecureString "${value}" -AsPlainText -Force`,
    `convertto-securestring -AsPlainText -Force -String '${value}'`,
    `"command": "ConvertTo-SecureString \\"${value}\\" -AsPlainText"`,
  ]) {
    const values = found(text, 'command-password')
    t.ok(values.length > 0 && values.every((one) => one === value), text)
  }
})

void t.test('long flags, variables and headers', async (t) => {
  const word = ['let', 'mein'].join('')
  for (const [text, expected] of [
    [`mysql --user=root --password=${word} shop`, word],
    [`wget --user=ada --http-password=${word} https://x.example`, word],
    [`docker login --username ada --password ${value}`, value],
    [`PGPASSWORD=${word} psql -h db`, word],
    [`MYSQL_PWD=${word} mysql`, word],
    [`gh auth login --token q7Rk2Vw9${value}`, `q7Rk2Vw9${value}`],
    [`curl --proxy-user ada:${word} https://x.example`, `ada:${word}`],
    [`curl -H "Authorization: Bearer q7Rk2Vw9${value}" https://x.example`, `q7Rk2Vw9${value}`],
  ] as const)
    t.same(found(text, 'secrets'), [expected], text)
})

void t.test('the same letters of other commands, and what is no value', async (t) => {
  for (const text of [
    `mkdir -p ${value}/x; cp -a ${value} b; docker run -p 8080:80 -w ${value} image`,
    `psql -p 54321 -U ada${value}; ssh -p 22022 host`,
    `mysql -u root -p shop2024db`,
    `mysql -u root -p; tool -p${value}`,
    `redis-cli -p 6379123 ping`,
    'mysql -p$PASSWORD x; sshpass -p "${PASS1}" ssh h; docker login -p <password1>',
    'mysql --password=password --host=x; mysql --password=pass_val',
    `notmysql -p${value}, my-redis-cli -a ${value}`,
    'sqlcmd -P; zip -P -r a.zip',
    `smbclient //srv/share -U ada${value}`,
    `the login of ${value} -p ${value}`,
    `ConvertTo-SecureString $env:PW; [SecureString] "${value}"; ConvertTo-SecureString "$pw1234"`,
    `ConvertTo-SecureString "${value}\n"`,
    '--password   The secret1 that is used',
  ])
    t.same(found(text, 'secrets'), [], text)
})
