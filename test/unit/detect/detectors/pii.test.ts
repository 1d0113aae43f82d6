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
  ['card no. 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1.', '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1'],
  ['card 41.1111.1111.111.111', '41.1111.1111.111.111'],
  ['id 4222222222222 and 41.1111.1111.111.111'],
  ['4111 1111 1111 1112'],
  ['9999999999999995'],
  ['x4111111111111111'],
  ['4111111111111111a'],
  ['0.4111111111111111'],
  ['41111111111111114111111111111111'],
  ['4111\n1111\n1111\n1111, card:\n4111\n1111\n1111\n1111'],
])

table('us-ssn', [
  ['378-07-9520', '378-07-9520'],
  ['SSN: 378079520', '378079520'],
  ['social security number is 378 07 9520', '378 07 9520'],
  ['my social is 378079520', '378079520'],
  ['social network 378079520'],
  ['id 378079520 and +378-07-9520'],
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
  ['na konto 61 1090 1014 0000 0712 1981 2874.', '61 1090 1014 0000 0712 1981 2874'],
  ['61109010140000071219812874', '61109010140000071219812874'],
  ['61109010140000071219812875 611090101400000712198128740 62 1090 1014 0000 0712 1981 2874'],
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
  ['192.168.1.1.1 src=:: dst=::1 ::/128', '192.168.1.1', '::', '::1', '::/128'],
  ['f :: Int -> Int, a literal block::'],
  ['1.2.3.4.5 1.2.3.256 1.2.3 01.2.3.4 1.2.3.4-rc1'],
  ['https://h.io/u/203.0.113.77/edit, https://h.io/ip/10.1.2.3', '203.0.113.77', '10.1.2.3'],
  ['https://dl.io/chrome/120.0.0.0/x.zip https://dl.io/driver/1.2.3.4/ Edg/120.0.0.0'],
  ['client ip:2001:db8:85a3::8a2e:370:7334', '2001:db8:85a3::8a2e:370:7334'],
  [
    'mailto:2001:db8::2 a:fe80::1%eth0, dead:2001:db8:1:2:3:4:5:6',
    '2001:db8::2',
    'fe80::1%eth0',
    '2001:db8:1:2:3:4:5:6',
  ],
  ['1:2:3:4:5:6:7:8:9 tag:ab::cd 12:ab::cd ab:12:cd:2001:db8::1 ns:::b'],
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
  ['T: 020 7946 0958 | M. 07700 900123 | F:(020) 7946 0959', '020 7946 0958', '07700 900123', '(020) 7946 0959'],
  ['Tél. : 01 23 45 67 89, portable 06 12 34 56 78', '01 23 45 67 89', '06 12 34 56 78'],
  ['TÉLÉPHONE 0123456789; telemóvel 912 345 678; celular 11 91234-5678', '0123456789', '912 345 678', '11 91234-5678'],
  ['cellulare: 3331234567, mobiel: 06 12345678, puh. 040 1234567', '3331234567', '06 12345678', '040 1234567'],
  ['тел. 8 (495) 123-45-67, τηλ. 210 1234567, טלפון 03-1234567', '8 (495) 123-45-67', '210 1234567', '03-1234567'],
  ['电话：010-12345678，我的手机号是13812345678', '010-12345678', '13812345678'],
  ['電話番号 03-1234-5678、휴대폰 010-1234-5678', '03-1234-5678', '010-1234-5678'],
  ['{"手机": "13812345678", "телефон":"84951234567", "tél": "0123456789"}', '13812345678', '84951234567', '0123456789'],
  ['учитель 12345678, заказ 12345678, 订单 13812345678, portable charger 12345678'],
  ['at: 020 7946 0958, T: 12345 678901, T: 01.02.2024 10:00, P 020 7946 0958'],
  ['my Israeli number is 09-7625400', '09-7625400'],
  ['My US number is 4155550132 but my order number is 4155550132', '4155550132'],
  ['one is415-555-0132 or 91-415-555-0132', '415-555-0132', '91-415-555-0132'],
  ['{"phone": "20.12.34"}, WhatsApp 201234', '20.12.34', '201234'],
  ['050 123 4567', '050 123 4567'],
  ['on 050 123 4567 and 20.12.34 at the desk'],
  ['0032 2509 8000 0000 0270'],
  ['order 0341 8387176'],
  ['call on 2024-01-15'],
  ['+1 2'],
  ['+234 1 804 0123', '+234 1 804 0123'],
  ['+234 1 804 0123 rows'],
  ['id 4155550132 and 00 82 55 35 46 7e'],
  ['1,415,555,0132 and #415-555-0132'],
])

table('us-itin', [
  ['912-70-1234, itin 912701234', '912-70-1234', '912701234'],
  ['911-89-1234 id 912701234 812-70-1234'],
])

table('crypto-address', [
  ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2.', '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'],
  ['3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy', '3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy'],
  ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4', 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
  [
    'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
    'bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr',
  ],
  ['to:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'],
  ['wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed', '0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'],
  ['wallet 0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED', '0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED'],
  ['LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz', 'LaMT348PWRnrqeeWArpwQPbuanpXDZGEUz'],
  ['DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L', 'DH5yaieqoZN36fDVciNyRueRGvGLR3mr7L'],
  ['rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh', 'rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh'],
  ['TJRabPrwbZy45sbavfcjinPJC18kjpRTv8', 'TJRabPrwbZy45sbavfcjinPJC18kjpRTv8'],
  ['t1VpYecBW4UudbGcy4ufh61eWxQCoFaUrPs', 't1VpYecBW4UudbGcy4ufh61eWxQCoFaUrPs'],
  ['bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a', 'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a'],
  ['on Solana 7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV', '7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV'],
  ['7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV'],
  ['1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3 x1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'],
  ['bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5 Bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'],
  ['0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed'],
  ['wallet 0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed0'],
  ['0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED'],
  // Beside its word, too: of two cases it has a checksum.
  ['wallet 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD'],
])

table('mac-address', [
  ['00:1A:2B:3C:4D:5E and aa-bb-cc-dd-ee-ff', '00:1A:2B:3C:4D:5E', 'aa-bb-cc-dd-ee-ff'],
  ['MAC address: 0012.3456.789a', '0012.3456.789a'],
  ['mac-address 0012.3456.789a. MAC: 00123456789A', '0012.3456.789a', '00123456789A'],
  ['mac_address=00123456789a, "macAddr": "00123456789B"', '00123456789a', '00123456789B'],
  ['the machine 00123456789A mac 00123456789abc mac 10.15.7'],
  ['the machine 0012.3456.789a FF:FF:FF:FF:FF:FF 00:00:00:00:00:00'],
  ['00:1A:2B:3C:4D 00:1A:2B:3C:4D:5E:6F 00:1A-2B:3C:4D:5E x00:1A:2B:3C:4D:5E'],
])

table('date-of-birth', [
  ['date of birth: 1985-03-08', '1985-03-08'],
  ['born in London on 12 May 1990.', '12 May 1990'],
  ['"dob": "03/08/85"', '03/08/85'],
  ['geboren am 8. März 1979 in Köln', '8. März 1979'],
  ['urodzony dnia 15.07.1990 r.', '15.07.1990'],
  ['born March 8, 1979', 'March 8, 1979'],
  // Day and month in either order; where the month is a word, one of the numbers is a day.
  ['dob 29/02/1988 dob 02/29/1988', '29/02/1988', '02/29/1988'],
  ['dob 31.12.99, born 31st of December 85', '31.12.99', '31st of December 85'],
  ['född 12 maj 1985, født 12. maj 1985, Födelsedatum 1985-05-12', '12 maj 1985', '12. maj 1985', '1985-05-12'],
  ['Né le 12 mai 1985, née le : 12/05/1985', '12 mai 1985', '12/05/1985'],
  ['nata a Reggio nell’Emilia il 12 maggio 1985, nato il 12/05/1985', '12 maggio 1985', '12/05/1985'],
  ['doğum tarihi: 12.05.1985, született: 1985.05.12', '12.05.1985', '1985.05.12'],
  ['narozen 12.5.1985, data nașterii 12.05.1985', '12.5.1985', '12.05.1985'],
  ['Дата рождения: 12 мая 1985, ημερομηνία γέννησης: 12/5/1985', '12 мая 1985', '12/5/1985'],
  ['我的出生日期是1985年5月12日。生年月日: 1985/05/12', '1985年5月12日', '1985/05/12'],
  ['생년월일: 1985년 5월 12일, תאריך לידה 12/05/1985', '1985년 5월 12일', '12/05/1985'],
  ['дата договора 12.05.1985, 交付日期 1985-05-12'],
  ['fodder 12.05.2020, NATO adopted it on 12 May 1985, il ne le voit pas 12/05/2020'],
  ['dob 13/13/1988 dob 31/04/1988 dob 1988-04-31 dob 0/1/1988 born 45 May 1988'],
  ['on 1985-03-08, built 12 May 1990, dob 1985-13-40, born in 1990'],
])

table('passport', [
  ['passport number: X1234567, Reisepass C01X00T47', 'X1234567', 'C01X00T47'],
  ['passport no. 123456789', '123456789'],
  ['X1234567 is a part; passport.js 1.2.3; passport-local'],
])

table('driving-licence', [
  ['driver’s license no. D123-4567-8901', 'D123-4567-8901'],
  ['driving licence: MORGA657054SM9IJ', 'MORGA657054SM9IJ'],
  ['the driver version 12345678 was driving 123456 miles'],
])

table('medical-record', [
  ['MRN: 00123456', '00123456'],
  ['patient id A-12345', 'A-12345'],
  ['patient 00123456 mrna 123456'],
])

table('medical-licence', [['DEA number BB1388568, NPI 1234567893', 'BB1388568', '1234567893'], ['idea BB1388568']])

table('bank-account', [
  ['account number: 12345678', '12345678'],
  ['my bank account is 1234 5678 9012', '1234 5678 9012'],
  ['account 123456789012, account number of 2024-01-15'],
])

table('bank-routing', [
  ['routing number 021000021', '021000021'],
  ['sort code 12-34-56, BSB 123-456, IFSC: HDFC0001234', '12-34-56', '123-456', 'HDFC0001234'],
  ['routing 021000022, database 021000021, order 12-34-56'],
])
