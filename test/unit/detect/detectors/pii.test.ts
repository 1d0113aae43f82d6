import t from 'tap'
import { found } from './found.ts'

type Row = readonly [text: string, ...values: string[]]

function table(entity: string, rows: readonly Row[]): void {
  void t.test(entity, async (t) => {
    for (const [text, ...values] of rows) t.same(found(text, entity), values, text)
  })
}

table('email', [
  ['write to ada@example.org.', 'ada@example.org'],
  ['"Ada" <ada.lovelace+list@mail.example.co.uk>', 'ada.lovelace+list@mail.example.co.uk'],
  ['mailto:ada@example.org?subject=x', 'ada@example.org'],
  ["it is 'ada@example.org'", 'ada@example.org'],
  ['jörg@bücher.example und user@xn--bcher-kva.example', 'jörg@bücher.example', 'user@xn--bcher-kva.example'],
  ['git@github.com:a/b.git'],
  ['npm i react@18.2.0 @scope/pkg@1.2.3 lib@40.49.22'],
  ['icon@2x.png @app.route @Injectable()'],
  ['https://user:word@host.example/x'],
  ['a@b@c.example', 'b@c.example'],
  ['user@localhost a@b..com @ a@ @b.com'],
])

table('payment-card', [
  ['card 4111 1111 1111 1111 12/27 123', '4111 1111 1111 1111'],
  ['4111-1111-1111-1111', '4111-1111-1111-1111'],
  ['5105105105105100', '5105105105105100'],
  ['2223003122003222', '2223003122003222'],
  ['3782 822463 10005', '3782 822463 10005'],
  ['378282246310005', '378282246310005'],
  ['my card is 4222222222222', '4222222222222'],
  ['id 4222222222222'],
  ['4111 1111 1111 1112'],
  ['9999999999999995'],
  ['x4111111111111111'],
  ['4111111111111111a'],
  ['0.4111111111111111'],
  ['41111111111111114111111111111111'],
])

table('us-ssn', [
  ['378-07-9520', '378-07-9520'],
  ['SSN: 378079520', '378079520'],
  ['social security number is 378 07 9520', '378 07 9520'],
  ['id 378079520'],
  ['000-12-3456 666-12-3456 900-12-3456 123-00-4567 123-45-0000'],
  ['378-07-95201 1378-07-9520 378-07-9520-1'],
])

table('iban', [
  ['GB82 WEST 1234 5698 7654 32', 'GB82 WEST 1234 5698 7654 32'],
  ['pay to DE89370400440532013000 now', 'DE89370400440532013000'],
  ['gb82west12345698765432', 'gb82west12345698765432'],
  ['NO93-8601-1117-947', 'NO93-8601-1117-947'],
  ['PL61lO9O1Ol4OOOOO7l2l98l2874', 'PL61lO9O1Ol4OOOOO7l2l98l2874'],
  ['GB83 WEST 1234 5698 7654 32'],
  ['XX82 WEST 1234 5698 7654 32'],
  ['DE89370400440532013000x'],
  ['Gb82WeST12345698765432'],
])

table('ip-address', [
  ['from 203.0.113.7:443.', '203.0.113.7'],
  ['net 10.0.0.0/8, 10.0.0.1', '10.0.0.0/8', '10.0.0.1'],
  ['http://10.1.2.3/x root@10.1.2.4', '10.1.2.3', '10.1.2.4'],
  ['2001:db8::8a2e:370:7334, fe80::1%eth0', '2001:db8::8a2e:370:7334', 'fe80::1%eth0'],
  ['src=10.1.2.3 <td>10.1.2.4</td> if ip == "10.1.2.5"', '10.1.2.3', '10.1.2.4', '10.1.2.5'],
  ['"version": "1.2.3.4", version=1.2.3.4, lib>=1.2.3.4, "^1.2.3.4"'],
  ['[::ffff:192.0.2.1]:80 ::1', '::ffff:192.0.2.1', '::1'],
  ['684D:1111:222:3333:4444:5555:6:77', '684D:1111:222:3333:4444:5555:6:77'],
  ['Chrome/4.60.0.226 version 1.2.3.4 v1.2.3.4 lib==1.2.3.4 file-1.2.3.4.tar'],
  ['1.2.3.4.5 1.2.3.256 1.2.3 01.2.3.4 1.2.3.4-rc1'],
  ['std::vector a::b ab::cd 12:34:56 aa:bb:cc:dd:ee:ff 00:11:22:33:44:55:66:77'],
])

table('phone', [
  ['ring +44 20 7946 0958 now', '+44 20 7946 0958'],
  ['+442079460958', '+442079460958'],
  ['+41 (0)44 668 18 00', '+41 (0)44 668 18 00'],
  ['0048 510 070 904', '0048 510 070 904'],
  ['(415) 555-0132 or 415.555.0132', '(415) 555-0132', '415.555.0132'],
  ['1-800-555-0199 x123', '1-800-555-0199 x123'],
  ['Mobile: 0341 8387176', '0341 8387176'],
  ['numer telefonu: 510 070 904', '510 070 904'],
  ['8450 0840 office', '8450 0840'],
  ['He left 0912 123 456 as a callback number', '0912 123 456'],
  ['order 0341 8387176'],
  ['call on 2024-01-15'],
  ['+1 2'],
  ['id 4155550132 and 00 82 55 35 46 7e'],
  ['1,415,555,0132 and #415-555-0132'],
])
