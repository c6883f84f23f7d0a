--  SPDX-License-Identifier: MIT
with Interfaces.C; use Interfaces.C;

package body Memory is
   procedure Work (N : Integer) is
      procedure Inner is
      begin
         Free (Malloc (size_t (N))); -- @malloc
      end Inner;
   begin
      Inner; -- @inner
   end Work;

   procedure Work (S : String) is
   begin
      Work (S'Length); -- @overloaded
      Work (S'Length + 1); -- @second
   end Work;

   procedure Repeat is
   begin
      for I in 1 .. Count loop
         Work (I); -- @generic
      end loop;
   end Repeat;
end Memory;
