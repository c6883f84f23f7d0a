--  SPDX-License-Identifier: MIT
--  Ada: procedures of packages, contained, overloaded and generic ones. The
--  last frame is in the main program that gnatbind writes.
--  (`new` calls malloc inside of Ada's own library.)
--  also: ada/memory.adb
--  flags: -fno-optimize-sibling-calls -fno-inline
--  variants: -O0|-O2|-Os|-O2 -flto
with Memory;

procedure Packages is
   procedure Twice is new Memory.Repeat (2);
begin
   Memory.Work (3); -- @one
   Memory.Work ("abcd"); -- @two
   Twice; -- @three
end Packages;
--  expect: malloc Memory.Work.Inner@malloc < Memory.Work@inner < Packages@one < main:*
--  expect: malloc Memory.Work.Inner@malloc < Memory.Work@inner < Memory.Work@overloaded < Packages@two < main:*
--  expect: malloc Memory.Work.Inner@malloc < Memory.Work@inner < Memory.Work@second < Packages@two < main:*
--  expect: malloc Memory.Work.Inner@malloc < Memory.Work@inner < Packages.Twice@generic < Packages@three < main:*
--  expect: malloc Memory.Work.Inner@malloc < Memory.Work@inner < Packages.Twice@generic < Packages@three < main:*
